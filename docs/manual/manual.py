"""Writes a program's manual page and its completions for shells.

usage: manual.py FOLDER VERSION PROGRAM

The options come from the table that the program prints for --help=table, all other text
from --help. The files are NAME.1 for man, and for bash NAME, for zsh _NAME and for fish
NAME.fish.
"""
import pathlib
import re
import subprocess
import sys

# Words for values in --help whose completion is a file or a folder.
FOLDERS = {"DIR", "FOLDER"}
FILES = {"FILE", "FILE.csv", "MODEL"}
PROGRAMS = ["lstm-amp", "lstm-embed", "lstm-verify", "mnist-predict", "mnist-train"]


class Option:
    def __init__(self, line):
        self.name, value, choices, self.help = line.split("\t")
        self.choices = choices.split()
        self.optional = value.startswith("[")
        self.value = value.strip("[=]")
        folder, file = self.value in FOLDERS, self.value in FILES
        self.kind = ("choices" if self.choices else "folder" if folder else
                     "file" if file else "other")


class Program:
    def __init__(self, path):
        self.name = pathlib.PurePath(path).name
        run = [path, "--help"]
        text = subprocess.run(run, check=True, capture_output=True, text=True).stdout
        table = subprocess.run([path, "--help=table"], check=True, capture_output=True,
                               text=True).stdout
        self.options = [Option(line) for line in table.splitlines()]
        before, rest = re.split(r"(?m)^(?=  (?:-h, )?--)", text, maxsplit=1)
        usage, description = before.split("\n\n", 1)
        self.usage = usage.removeprefix("Usage: ")
        self.description = [part.replace("\n", " ").strip()
                            for part in description.split("\n\n") if part.strip()]
        self.notes = rest.split("\n\n", 1)[1].rstrip() if "\n\n" in rest else ""

    def summary(self):
        """The first sentence of the description, as the NAME of a manual page has it."""
        first = re.split(r"[.:](?: |$)", self.description[0])[0]
        return first[0].lower() + first[1:]

    def takes_files(self):
        return bool(FILES & set(re.findall(r"[A-Z]+", self.usage.split("[OPTION]")[1])))


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^(?=[.'])", r"\\&", text)


def manual(program, version):
    lines = [f'.TH {program.name.upper()} 1 "" "lstm {version}" "lstm"',
             ".SH NAME", f"{roff(program.name)} \\- {roff(program.summary())}",
             ".SH SYNOPSIS"]
    for usage in program.usage.split("\n"):
        lines += [f".B {roff(program.name)}", roff(usage.split(program.name, 1)[1].strip()),
                  ".br"]
    lines[-1] = ".SH DESCRIPTION"
    for part in program.description:
        lines += [".PP", roff(part)]
    lines.append(".SH OPTIONS")
    for option in program.options:
        value = f"[=\\fI{roff(option.value)}\\fR]" if option.optional else (
            f" \\fI{roff(option.value)}\\fR" if option.value else "")
        short = "\\fB\\-h\\fR, " if option.name == "help" else ""
        lines += [".TP", f"{short}\\fB\\-\\-{roff(option.name)}\\fR{value}",
                  roff(option.help)]
        if not set(option.choices) <= set(re.findall(r"[\w-]+", option.help)):
            lines[-1] += " [" + roff(", ".join(option.choices)) + "]"
    if program.notes:
        lines += [".SH NOTES", ".nf", roff(program.notes), ".fi"]
    lines += [".SH EXIT STATUS", ".TP", "0", "Success.", ".TP", "1",
              "A failure, which a line on standard error names.", ".TP", "2",
              "Wrong usage.", ".TP", "128 + \\fIN\\fR",
              "Signal \\fIN\\fR ended the program.", ".SH SEE ALSO"]
    others = [f"\\fB{roff(name)}\\fR(1)" for name in PROGRAMS if name != program.name]
    return "\n".join([*lines, ",\n".join([*others, "\\fBlstm\\fR(7)"])]) + "\n"


def bash(program):
    function = "_" + program.name.replace("-", "_")
    names = " ".join(f"--{option.name}" for option in program.options)
    cases = []
    for kind, words in (("folder", "-d"), ("file", "-f")):
        of_kind = [f"--{option.name}" for option in program.options
                   if option.kind == kind and not option.optional]
        if of_kind:
            cases.append(f"    {' | '.join(of_kind)}) words={words} ;;")
    for option in program.options:
        if option.choices:
            cases.append(f"    --{option.name}) words=\"-W '{' '.join(option.choices)}'\" ;;")
    others = [f"--{option.name}" for option in program.options
              if option.value and option.kind == "other" and not option.optional]
    if others:
        cases.append(f"    {' | '.join(others)}) return ;;")
    rest = "-f" if program.takes_files() else "-W ''"
    cases_text = "\n".join(cases)
    return f"""# Completion of {program.name} for bash.
{function}()
{{
    local word=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD - 1]}} words
    COMPREPLY=()
    if [ "$word" = = ]; then
        word=
    elif [ "$option" = = ]; then
        option=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    case $option in
{cases_text}
    *)
        case $word in
        -*) words="-W '{names}'" ;;
        *) words="{rest}" ;;
        esac
        ;;
    esac
    case $words in
    -f | -d) compopt -o filenames 2>/dev/null ;;
    esac
    local IFS=$'\\n'
    COMPREPLY=($(IFS=' '; eval "compgen $words -- \\"\\$word\\""))
}}
complete -F {function} {program.name}
"""


def zsh(program):
    def quoted(text):
        return (text.replace("\\", "\\\\").replace("'", "'\\''").replace("[", "\\[")
                .replace("]", "\\]").replace(":", "\\:"))
    lines = []
    for option in program.options:
        action = {"choices": f"({' '.join(option.choices)})", "folder": "_files -/",
                  "file": "_files", "other": " "}[option.kind]
        mark = "=-" if option.optional else "=" if option.value else ""
        value = f":{':' if option.optional else ''}{option.value}:{action}"
        name = f"--{option.name}{mark}[{quoted(option.help)}]"
        lines.append(f"  '{name}{value if option.value else ''}'")
    lines.append("  '*:file:_files'" if program.takes_files() else "  '*: :'")
    body = " \\\n".join(lines)
    return f"#compdef {program.name}\n_arguments \\\n{body}\n"


def fish(program):
    def quoted(text):
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    lines = [f"# Completion of {program.name} for fish."]
    if not program.takes_files():
        lines.append(f"complete -c {program.name} -f")
    for option in program.options:
        what = {"choices": f" -x -a {quoted(' '.join(option.choices))}",
                "folder": " -x -a '(__fish_complete_directories)'", "file": " -r -F",
                "other": " -x" if option.value and not option.optional else ""}[option.kind]
        short = " -s h" if option.name == "help" else ""
        lines.append(f"complete -c {program.name}{short} -l {option.name}{what} "
                     f"-d {quoted(option.help)}")
    return "\n".join(lines) + "\n"


def main():
    folder, version, path = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    program = Program(path)
    (folder / f"{program.name}.1").write_text(manual(program, version))
    (folder / program.name).write_text(bash(program))
    (folder / f"_{program.name}").write_text(zsh(program))
    (folder / f"{program.name}.fish").write_text(fish(program))


if __name__ == "__main__":
    main()
