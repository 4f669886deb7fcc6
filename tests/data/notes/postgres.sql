SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.note_links (
    source_note_id integer NOT NULL,
    target_note_id integer NOT NULL
);
CREATE TABLE public.note_revisions (
    id integer NOT NULL,
    note_id integer NOT NULL,
    html_content text NOT NULL,
    revised_by character varying,
    revised_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    revision_number integer NOT NULL
);
CREATE SEQUENCE public.note_revisions_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.note_revisions_id_seq OWNED BY public.note_revisions.id;
CREATE TABLE public.note_tags (
    note_id integer NOT NULL,
    tag_id integer NOT NULL
);
CREATE TABLE public.notes (
    id integer NOT NULL,
    title character varying NOT NULL,
    slug character varying NOT NULL,
    html_content text NOT NULL,
    project_id integer,
    is_public boolean NOT NULL,
    created_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    note_type character varying,
    status character varying,
    parent_note_id integer,
    "position" integer
);
CREATE SEQUENCE public.notes_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.notes_id_seq OWNED BY public.notes.id;
CREATE TABLE public.projects (
    id integer NOT NULL,
    name character varying NOT NULL,
    slug character varying NOT NULL,
    platform character varying NOT NULL,
    repo_url character varying,
    created_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    page_note_id integer
);
CREATE SEQUENCE public.projects_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.projects_id_seq OWNED BY public.projects.id;
CREATE TABLE public.repos (
    id integer NOT NULL,
    name character varying NOT NULL,
    slug character varying NOT NULL,
    platform character varying NOT NULL,
    url character varying,
    project_id integer,
    created_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE SEQUENCE public.repos_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.repos_id_seq OWNED BY public.repos.id;
CREATE TABLE public.sprint_items (
    id integer NOT NULL,
    sprint_id integer NOT NULL,
    note_id integer,
    item_type character varying(10) NOT NULL,
    status character varying(11) NOT NULL,
    title character varying NOT NULL,
    forgejo_issue_url character varying,
    labels json,
    "position" integer NOT NULL,
    created_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE SEQUENCE public.sprint_items_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.sprint_items_id_seq OWNED BY public.sprint_items.id;
CREATE TABLE public.sprints (
    id integer NOT NULL,
    slug character varying NOT NULL,
    name character varying NOT NULL,
    goal text,
    status character varying(9) NOT NULL,
    project_id integer,
    start_date date,
    end_date date,
    created_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE SEQUENCE public.sprints_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.sprints_id_seq OWNED BY public.sprints.id;
CREATE TABLE public.tags (
    id integer NOT NULL,
    name character varying NOT NULL
);
CREATE SEQUENCE public.tags_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.tags_id_seq OWNED BY public.tags.id;
CREATE TABLE public.users (
    id integer NOT NULL,
    username character varying NOT NULL,
    email character varying,
    password_hash character varying,
    role character varying DEFAULT 'viewer'::character varying NOT NULL,
    is_approved boolean DEFAULT true NOT NULL,
    created_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE SEQUENCE public.users_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;
ALTER TABLE ONLY public.note_revisions ALTER COLUMN id SET DEFAULT nextval('public.note_revisions_id_seq'::regclass);
ALTER TABLE ONLY public.notes ALTER COLUMN id SET DEFAULT nextval('public.notes_id_seq'::regclass);
ALTER TABLE ONLY public.projects ALTER COLUMN id SET DEFAULT nextval('public.projects_id_seq'::regclass);
ALTER TABLE ONLY public.repos ALTER COLUMN id SET DEFAULT nextval('public.repos_id_seq'::regclass);
ALTER TABLE ONLY public.sprint_items ALTER COLUMN id SET DEFAULT nextval('public.sprint_items_id_seq'::regclass);
ALTER TABLE ONLY public.sprints ALTER COLUMN id SET DEFAULT nextval('public.sprints_id_seq'::regclass);
ALTER TABLE ONLY public.tags ALTER COLUMN id SET DEFAULT nextval('public.tags_id_seq'::regclass);
ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.note_links
    ADD CONSTRAINT note_links_pkey PRIMARY KEY (source_note_id, target_note_id);
ALTER TABLE ONLY public.note_revisions
    ADD CONSTRAINT note_revisions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.note_tags
    ADD CONSTRAINT note_tags_pkey PRIMARY KEY (note_id, tag_id);
ALTER TABLE ONLY public.notes
    ADD CONSTRAINT notes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.repos
    ADD CONSTRAINT repos_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.sprint_items
    ADD CONSTRAINT sprint_items_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.sprints
    ADD CONSTRAINT sprints_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.note_revisions
    ADD CONSTRAINT uq_note_revision UNIQUE (note_id, revision_number);
ALTER TABLE ONLY public.sprint_items
    ADD CONSTRAINT uq_sprint_item_position UNIQUE (sprint_id, "position");
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE INDEX ix_notes_parent_position ON public.notes USING btree (parent_note_id, "position");
CREATE UNIQUE INDEX ix_notes_slug ON public.notes USING btree (slug);
CREATE UNIQUE INDEX ix_projects_slug ON public.projects USING btree (slug);
CREATE UNIQUE INDEX ix_repos_slug ON public.repos USING btree (slug);
CREATE UNIQUE INDEX ix_sprints_slug ON public.sprints USING btree (slug);
CREATE UNIQUE INDEX ix_tags_name ON public.tags USING btree (name);
CREATE UNIQUE INDEX ix_users_username ON public.users USING btree (username);
ALTER TABLE ONLY public.notes
    ADD CONSTRAINT fk_notes_parent_note_id FOREIGN KEY (parent_note_id) REFERENCES public.notes(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT fk_projects_page_note_id FOREIGN KEY (page_note_id) REFERENCES public.notes(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.note_links
    ADD CONSTRAINT note_links_source_note_id_fkey FOREIGN KEY (source_note_id) REFERENCES public.notes(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.note_links
    ADD CONSTRAINT note_links_target_note_id_fkey FOREIGN KEY (target_note_id) REFERENCES public.notes(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.note_revisions
    ADD CONSTRAINT note_revisions_note_id_fkey FOREIGN KEY (note_id) REFERENCES public.notes(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.note_tags
    ADD CONSTRAINT note_tags_note_id_fkey FOREIGN KEY (note_id) REFERENCES public.notes(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.note_tags
    ADD CONSTRAINT note_tags_tag_id_fkey FOREIGN KEY (tag_id) REFERENCES public.tags(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.notes
    ADD CONSTRAINT notes_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id);
ALTER TABLE ONLY public.repos
    ADD CONSTRAINT repos_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.sprint_items
    ADD CONSTRAINT sprint_items_note_id_fkey FOREIGN KEY (note_id) REFERENCES public.notes(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.sprint_items
    ADD CONSTRAINT sprint_items_sprint_id_fkey FOREIGN KEY (sprint_id) REFERENCES public.sprints(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sprints
    ADD CONSTRAINT sprints_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id);
