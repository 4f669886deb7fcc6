"""Arrays as text, in JSON or in PostgreSQL's own form, made into what PostgreSQL's input function reads."""
import json
import re

_BLANKS = " \t\n\r\v\f"
_JSON_BLANKS = " \t\n\r"


class Malformed(ValueError):
    """This text is no array."""


class _Number(str):
    """A JSON number as it is written."""


def literal(text, typname, delimiter, fits):
    """`fits(value)` raises where an element, as SQLite would hold it, does not fit the element type, which pg_type
    names `typname`."""
    text = text.lstrip(_BLANKS)
    if text[:1] == "[" and not re.match(r"[\[\]+\-:0-9\s]*=", text, re.ASCII):
        if typname in ("json", "jsonb"):
            tree = [_document(element, fits) for element in _documents(text)]
        else:
            tree = _json_tree(_parse_json(text), typname, fits)
    else:
        tree = _Form(text.rstrip(_BLANKS), typname, delimiter, fits).read()
    _shape(tree)
    return _render(tree, delimiter)


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _render(tree, delimiter):
    if isinstance(tree, list):
        return "{" + delimiter.join(_render(part, delimiter) for part in tree) + "}"
    return tree


def _shape(tree, depth=0):
    """The sizes of lists in lists; every part must have the same."""
    if not isinstance(tree, list):
        return ()
    if depth > 5 or (depth and not tree):
        raise Malformed("array of a shape that PostgreSQL has not")
    shapes = {_shape(part, depth + 1) for part in tree}
    if len(shapes) > 1:
        raise Malformed("array that is no rectangle")
    return (len(tree), *(shapes.pop() if shapes else ()))


def _parse_json(text):
    def constant(word):
        raise ValueError(word)
    try:
        return json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=constant)
    except (ValueError, RecursionError):
        raise Malformed("text that is no JSON") from None


def _json_tree(node, typname, fits):
    if isinstance(node, list):
        return [_json_tree(part, typname, fits) for part in node]
    if node is None:
        return "NULL"
    if isinstance(node, dict) or (isinstance(node, bool) and typname != "bool"):
        raise Malformed("JSON of another kind")
    if isinstance(node, bool):
        return str(node).lower()
    if isinstance(node, _Number):
        whole = re.fullmatch(r"-?\d{1,19}", node) and node != "-0" and -2**63 <= int(node) < 2**63
        fits(int(node) if whole else str(node))
        return _quoted(str(node))
    if re.search("[\ud800-\udfff]", node):
        raise Malformed("half a character")
    fits(node)
    return _quoted("\\x" + node.encode().hex() if typname == "bytea" else node)


def _documents(text):
    """The elements of a JSON array, each as it is written."""
    decoder = json.JSONDecoder()
    elements = []
    rest = text[1:].lstrip(_JSON_BLANKS)
    try:
        while not (rest[:1] == "]" and not elements):
            _, end = decoder.raw_decode(rest)
            elements.append(rest[:end])
            rest = rest[end:].lstrip(_JSON_BLANKS)
            if rest[:1] != ",":
                break
            rest = rest[1:].lstrip(_JSON_BLANKS)
    except (ValueError, RecursionError):
        raise Malformed("text that is no JSON") from None
    if rest[:1] != "]" or rest[1:].strip(_JSON_BLANKS):
        raise Malformed("text that is no JSON")
    return elements


def _document(text, fits):
    if text == "null":
        return "NULL"
    fits(text)
    return _quoted(text)


class _Form:
    """{a,"b c",NULL}: less than the server takes."""

    def __init__(self, text, typname, delimiter, fits):
        self.text, self.typname, self.fits, self.at = text, typname, fits, 0
        self.delimiter = delimiter
        self.quoted = re.compile(r'"((?:[^"\\]|\\.)*)"', re.S)
        self.plain = re.compile(rf'((?:[^{re.escape(delimiter)}{{}}"\\]|\\.)+)', re.S)

    def read(self):
        if self.text[:1] != "{":
            raise Malformed("text that is no array")
        tree = self.node()
        if self.at != len(self.text):
            raise Malformed("more behind the array")
        return tree

    def skip(self):
        while self.at < len(self.text) and self.text[self.at] in _BLANKS:
            self.at += 1
        return self.text[self.at:self.at + 1]

    def node(self):
        if self.skip() != "{":
            return self.element()
        self.at += 1
        parts = []
        if self.skip() == "}":
            self.at += 1
            return parts
        while True:
            parts.append(self.node())
            end = self.skip()
            self.at += 1
            if end == "}":
                return parts
            if end != self.delimiter:
                raise Malformed("no separator")

    def element(self):
        quoted = self.text[self.at:self.at + 1] == '"'
        match = (self.quoted if quoted else self.plain).match(self.text, self.at)
        if not match:
            raise Malformed("no element")
        self.at = match.end()
        pieces = re.findall(r"\\.|[^\\]", match[1], re.S)
        while not quoted and pieces and pieces[-1] in _BLANKS:
            pieces.pop()
        if not quoted and not pieces:
            raise Malformed("no element")
        if not quoted and "".join(pieces).lower() == "null":
            return "NULL"
        item = "".join(piece[-1] for piece in pieces)
        if self.typname != "bytea":
            self.fits(item)
        elif not re.fullmatch(r"\\x([0-9a-fA-F]{2})*", item):
            raise Malformed("bytea in another form")
        return _quoted(item)
