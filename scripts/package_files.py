#!/usr/bin/python3
"""Writes what a package has beside the program, as the program itself tells it: package_files.py PROGRAM FOLDER.

Manual pages from its help and its sample configuration, completions from `completion`. All of that comes from
the tables of commands and options, so that none can say anything else.
"""
import gzip
import pathlib
import re
import subprocess
import sys


def ask(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def verbatim(text):
    """Lines as they are; those that begin like a request of roff, and its escapes, made harmless."""
    lines = [line.replace("\\", "\\e").replace("-", "\\-") for line in text.rstrip("\n").split("\n")]
    return ".nf\n" + "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in lines) + "\n.fi\n"


def page(name, section, version, summary, parts):
    head = f'.TH {name.upper()} {section} "" "liteferry {version}" ""\n.SH NAME\n{name} \\- {summary}\n'
    return head + "".join(f'.SH "{title}"\n{verbatim(text)}' for title, text in parts)


def commands(overview):
    listed = overview.split("Commands:\n")[1].split("\n\n")[0]
    return [re.split(r"\s{2,}", line.strip())[0] for line in listed.splitlines()]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    version = ask(program, "version").split()[1]
    overview = ask(program, "--help")
    parts = [("DESCRIPTION", overview)]
    parts += [(f"liteferry {name}", ask(program, *name.split(), "--help")) for name in commands(overview)]
    write(folder / "share/man/man1/liteferry.1.gz",
          page("liteferry", 1, version, "move a live application from SQLite to PostgreSQL", parts))
    write(folder / "share/man/man5/liteferry.yaml.5.gz",
          page("liteferry.yaml", 5, version, "configuration of liteferry",
               [("EVERY KEY, WITH ITS DEFAULT", ask(program, "config", "sample"))]))
    write(folder / "share/bash-completion/completions/liteferry", ask(program, "completion", "bash"))
    write(folder / "share/zsh/vendor-completions/_liteferry", ask(program, "completion", "zsh"))
    write(folder / "share/fish/vendor_completions.d/liteferry.fish", ask(program, "completion", "fish"))


if __name__ == "__main__":
    main()
