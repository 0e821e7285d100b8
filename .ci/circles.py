"""Finds circles of imports between the files of a crate; proves on made-up crates that it can.

A file imports what its `use` lines and its paths name. A name that came through a re-export counts
as an import of the file that defines it. What is no import: a declaration `mod x;`, a re-export
itself, a link in a comment, and whatever is compiled for tests alone.
"""

import pathlib
import re
import subprocess
import sys

TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)
      | (?P<text>b?r(?P<hash>\#*)".*?"(?P=hash)|[bc]?"(?:\\.|[^"\\])*"|b?'(?:\\.[^']*|[^'\\])')
      | (?P<lifetime>'\w+) | (?P<word>(?:r\#)?[A-Za-z_]\w*) | (?P<number>\d\w*) | (?P<sign>::|.)""",
    re.VERBOSE | re.DOTALL,
)
DEFINES = {"const", "enum", "fn", "macro_rules", "static", "struct", "trait", "type", "union"}
OPEN, CLOSE = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}


def tokens(text):
    """The words and signs of a file, each with its line."""
    line, found = 1, []
    for match in TOKEN.finditer(text):
        if match["word"] or match["sign"]:
            found.append((match[0].removeprefix("r#"), line))
        elif match["text"]:
            found.append(('""', line))
        line += match[0].count("\n")
    return found


class Module:
    """What the names in one module mean, and which paths it uses."""

    def __init__(self, file, path):
        self.file, self.path = file, path
        self.defined, self.modules, self.uses, self.globs = set(), {}, {}, []
        self.passed_on, self.paths, self.words = set(), [], {}


class Crate:
    """The modules that are reached from a root file."""

    def __init__(self, files, root):
        self.files, self.modules = files, {}
        folder = root.parent
        self.load(root, folder, ())

    def load(self, file, folder, path):
        module = self.modules[path] = Module(file, path)
        self.read(tokens(self.files[file]), module, folder)

    def read(self, code, module, folder):
        """Reads the items of a module, and every path in them."""
        at, depth, attribute, public = 0, 0, [], False
        while at < len(code):
            word, line = code[at]
            after = code[at + 1][0] if at + 1 < len(code) else ""
            if word == "#" and after in "[!":
                start = at + 1 + (after == "!")
                end = closing(code, start)
                attribute += [word for word, _ in code[start:end]]
                at = end + 1
                continue
            if for_tests(attribute):
                at, attribute = item_end(code, at), []
                continue
            if word == "pub":
                public = True
                at = closing(code, at + 1) + 1 if after == "(" else at + 1
                continue
            if word == "use" and after != "<":
                end = next(i for i in range(at, len(code)) if code[i][0] == ";")
                self.imports(code[at + 1 : end], module, public, depth)
                at = end
            elif word == "mod" and depth == 0:
                inner = module.path + (after,)
                module.modules[after] = inner
                if code[at + 2][0] == ";":
                    self.load(folder / f"{after}.rs", folder / after, inner)
                    at += 2
                else:
                    end = closing(code, at + 2)
                    self.modules[inner] = Module(module.file, inner)
                    self.read(code[at + 3 : end], self.modules[inner], folder / after)
                    at = end
            elif word in DEFINES and depth == 0:
                name = code[at + 2][0] if after in {"!", "mut"} else after
                module.defined.add(name)
            elif word in OPEN:
                depth += 1
            elif word in CLOSE:
                depth -= 1
            elif re.match(r"[A-Za-z_]", word) and code[at - 1][0] != ".":
                end = at
                while end + 2 < len(code) and code[end + 1][0] == "::" and re.match(r"[A-Za-z_]", code[end + 2][0]):
                    end += 2
                if end > at:
                    module.paths.append((tuple(word for word, _ in code[at : end + 1 : 2]), line))
                elif word not in {"crate", "self", "super"}:
                    module.words.setdefault(word, line)
                at = end
            attribute, public = [], False
            at += 1

    def imports(self, tree, module, public, depth):
        """Reads what stands between `use` and `;`."""
        for path, name, line in leaves(tree, ()):
            if depth == 0 and name == "*":
                module.globs.append(path)
            elif depth == 0:
                module.uses.setdefault(name, []).append(path)
                if public:
                    module.passed_on.add(name)
            # What came by a re-export or by a `*` counts where it is used.
            if not public and name != "*":
                module.paths.append((path, line))

    def definers(self, path, module, seen=frozenset()):
        """The files that define what a path names in a module. Each import is looked at once."""
        first, rest = path[0], path[1:]
        if first in {"crate", "self", "super"}:
            home = {"crate": (), "self": module.path, "super": module.path[:-1]}[first]
            inner = self.modules[home]
            return self.definers(rest, inner, seen) if rest else {inner.file}
        found = set()
        if first in module.modules and module.modules[first] in self.modules:
            inner = self.modules[module.modules[first]]
            found |= self.definers(rest, inner, seen) if rest else {inner.file}
        if first in module.defined:
            found.add(module.file)
        others = [other + rest for other in module.uses.get(first, [])]
        # A name that stands here hides one that came by a `*`.
        name = first if found or others else "*"
        if name == "*":
            others = [other + path for other in module.globs]
        if (name, module) not in seen:
            for other in others:
                found |= self.definers(other, module, seen | {(name, module)})
        return found

    def edges(self):
        """Who imports whom: {file: {file: (line, path)}}."""
        graph = {}
        for module in self.modules.values():
            edges = graph.setdefault(module.file, {})
            known = module.defined | module.uses.keys() | module.modules.keys()
            bare = [((word,), line) for word, line in module.words.items() if word in module.passed_on or word not in known]
            for path, line in module.paths + bare:
                for file in self.definers(path, module) - {module.file}:
                    edges.setdefault(file, (line, "::".join(path)))
        return graph


def leaves(tree, prefix):
    """The paths that a tree of imports names: (path, name here, line)."""
    at = 0
    while at < len(tree):
        path, name, line = list(prefix), None, tree[at][1]
        while at < len(tree) and tree[at][0] != ",":
            word = tree[at][0]
            if word == "{":
                end = closing(tree, at)
                yield from leaves(tree[at + 1 : end], tuple(path))
                path, at = [], end
            elif word == "as":
                name, at = tree[at + 1][0], at + 1
            elif word == "*":
                name = "*"
            elif word == "self" and path:
                pass
            elif word != "::":
                path.append(word)
            at += 1
        if path:
            yield tuple(path), name or path[-1], line
        at += 1


def closing(code, at):
    """Where the bracket closes that opens at a place."""
    depth = 0
    for end in range(at, len(code)):
        depth += (code[end][0] in OPEN) - (code[end][0] in CLOSE)
        if depth == 0:
            return end
    raise ValueError("a bracket is not closed")


def for_tests(attribute):
    alone = "cfg" in attribute and "test" in attribute and not {"any", "not"} & set(attribute)
    return alone or attribute[1:3] == ["test"]


def item_end(code, at):
    """Where the item ends that begins at a place."""
    by_semicolon = any(word in {"use", "const", "static"} for word, _ in code[at : at + 3])
    while code[at][0] != ";":
        if code[at][0] in OPEN:
            block = code[at][0] == "{"
            at = closing(code, at)
            if block and not by_semicolon:
                break
        at += 1
    return at + 1


def circles(graph):
    """The sets of files each of which reaches every other."""

    def reached(start):
        found, rest = set(), [start]
        while rest:
            for file in graph.get(rest.pop(), {}):
                if file not in found:
                    found.add(file)
                    rest.append(file)
        return found

    reach = {file: reached(file) for file in graph}
    return {frozenset(g for g in reach[f] if f in reach[g]) for f in graph if f in reach[f]}


def findings(files, root):
    """The circles of a crate, for people."""
    graph = Crate(files, root).edges()
    for circle in sorted(circles(graph), key=sorted):
        yield f"a circle of {len(circle)} files"
        for file in sorted(circle):
            for other in sorted(circle & graph[file].keys()):
                line, path = graph[file][other]
                yield f"    {file}:{line} imports {other}: {path}"


# Made-up crates, and how many circles each has.
CRATES = [
    (1, {"lib": "mod a; mod b;", "a": "use crate::b::B; pub struct A;", "b": "pub struct B; fn f(_: super::a::A) {}"}),
    # Through re-exports in lib.rs, under another name, and by `*`.
    (1, {"lib": "mod a; mod b; pub use a::A; pub use b::B;", "a": "use crate::B; pub struct A;", "b": "use crate::A; pub struct B;"}),
    (1, {"lib": "mod a; mod b; pub use b::B as C;", "a": "fn f() { crate::C::new() } pub fn g() {}", "b": "use crate::{a::{self}}; pub struct B;"}),
    (1, {"lib": "mod a; mod b; pub use a::*;", "a": "use super::b; pub struct A;", "b": "use crate::*; fn f(_: A) {}"}),
    # A child that uses what its parent defines; a parent that uses what it passes on.
    (1, {"lib": "mod a;", "a": "mod c; pub struct A; fn f() { c::g() }", "a/c": "use super::A; pub fn g() {}"}),
    (1, {"lib": "mod a;", "a": "mod c; pub use c::C; pub struct A(C);", "a/c": "pub struct C; fn g(_: super::A) {}"}),
    # Declarations, re-exports, comments, texts and tests make none.
    (0, {"lib": "mod a; pub use a::A; pub struct L;", "a": "use crate::L; pub struct A;"}),
    (0, {"lib": "mod a; mod b;", "a": "use crate::b::B; pub struct A;", "b": "/// [`crate::a::A`]\npub struct B; const T: &str = r#\"crate::a::A\"#;"}),
    (0, {"lib": "mod a; mod b;", "a": "use crate::b::B; pub struct A;", "b": "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }"}),
    (0, {"lib": "mod a; mod b;", "a": "use crate::b::B; pub fn f() {}", "b": "pub struct B; #[test] fn t() { crate::a::f() }"}),
    (0, {"lib": "mod a; mod b;", "a": "use crate::b::B; pub fn f() {}", "b": "pub struct B; fn t(x: X) { x.f(); let f = 1; other::f() }"}),
]


def main():
    wrong = []
    for expected, crate in CRATES:
        files = {pathlib.Path(f"{name}.rs"): text for name, text in crate.items()}
        found = [line for line in findings(files, pathlib.Path("lib.rs")) if line.startswith("a circle")]
        if len(found) != expected:
            wrong.append(f"{len(found)} circles were found where {expected} are: {crate}")
    manifests = subprocess.run(["git", "ls-files", "*/Cargo.toml"], check=True, capture_output=True, text=True).stdout
    for source in sorted(pathlib.Path(manifest).parent / "src" for manifest in manifests.split()):
        files = {file: file.read_text(encoding="utf-8") for file in source.rglob("*.rs")}
        roots = [source / "lib.rs", source / "main.rs", *source.glob("bin/*.rs"), *source.glob("bin/*/main.rs")]
        for root in sorted(root for root in roots if root in files):
            wrong += findings(files, root)
    print("\n".join(wrong), end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
