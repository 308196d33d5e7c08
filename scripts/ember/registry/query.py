"""The query of an SQL source: its text, and that it can only read."""

from __future__ import annotations

import re
from pathlib import Path

from ember.errors import EmberError

# What may hold any word: texts, quoted names and comments. They are left out before words are looked at.
QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--(?=\s|$)[^\n]*|/\*(?:(?!/\*|\*/)[\s\S])*\*/")
# An escaped quote, a dollar quote, a comment that runs as code: where they end depends on the database.
AMBIGUOUS = re.compile(r"\\['\"`]|\$\w*\$|/\*[!+M]")
UNPAIRED = ("'", '"', "`", "/*", "*/", "--", "#")
# fmt: off
FORBIDDEN = frozenset((
    "insert", "update", "delete", "merge", "upsert", "into", "drop", "alter", "create", "truncate", "attach",
    "detach", "pragma", "vacuum", "reindex", "copy", "grant", "revoke", "call", "exec", "execute", "do", "set",
    "reset", "lock", "unlock", "load", "rename", "comment", "begin", "commit", "rollback", "savepoint",
    "load_extension", "load_file", "writefile", "readfile", "pg_read_file", "pg_read_binary_file", "pg_ls_dir",
    "lo_import", "lo_export", "lo_from_bytea", "dblink", "dblink_exec", "pg_terminate_backend", "pg_cancel_backend",
    "pg_sleep", "xp_cmdshell", "openrowset",
))
# fmt: on
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def query_text(query: str, folder: Path) -> str:
    """Return the text of a query, which stands in study.yaml or in a file of the study folder that ends in .sql.

    Raises
    ------
    EmberError
        The file lies outside the study folder, does not exist or is not UTF-8.
    """
    if not query.endswith(".sql"):
        return query
    path = folder / query
    if not path.resolve().is_relative_to(folder.resolve()):
        raise EmberError("The file of the query lies outside the study folder.", where=query)
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise EmberError("The file of the query does not exist.", where=query) from None
    except UnicodeDecodeError:
        raise EmberError("The file of the query is not UTF-8 text.", where=query) from None


def check_select(text: str, where: str) -> str:
    """Return a query that is one SELECT or WITH, without the semicolon at its end.

    Raises
    ------
    EmberError
        It is empty, has several statements, or holds a word that changes data, the session or files.

    Notes
    -----
    This is the second lock: the query also runs read-only wherever the database knows how.
    """
    if AMBIGUOUS.search(text):
        raise _refused("The query holds an escaped quote, a dollar quote or a comment that runs.", where)
    bare = QUOTED.sub(" ", text)
    left = next((sign for sign in UNPAIRED if sign in bare), None)
    if left is not None:
        raise _refused(f"Databases read the {left} of the query differently.", where)
    body = bare.strip().rstrip(";").rstrip()
    if ";" in body:
        raise _refused("The query has more than one statement.", where)
    words = [word.lower() for word in WORD.findall(body)]
    if not words or words[0] not in {"select", "with"} or not body.lower().startswith(words[0]):
        raise _refused("The query does not start with SELECT or WITH.", where)
    found = sorted(FORBIDDEN.intersection(words))
    if found:
        raise _refused(f"The query holds {', '.join(found)}.", where)
    return text.strip().rstrip(";").rstrip()


def _refused(what: str, where: str) -> EmberError:
    return EmberError(
        what,
        where=where,
        fix="One SELECT is allowed, which may start with WITH. A column called like a command stands in quotes.",
    )
