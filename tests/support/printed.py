"""Compiles and runs the programs that documents print."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
# C++ warns about fields that designated initialisers leave at zero.
CPP_FLAGS = [*FLAGS, "-Wno-missing-field-initializers"]


def blocks(page, language="c"):
    """The code blocks of a page in one language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```", text, re.S | re.M)


def compile(source, program, standard, compiler, build, *options):
    """Compiles the source of a program with the libraries of a build folder."""
    cpp = "++" in standard
    libraries = [f"{build}/lib/{name}" for name in ("lstm", "mnist")]
    subprocess.run([*compiler, f"-std={standard}", *(CPP_FLAGS if cpp else FLAGS),
                    *options, "-x", "c++" if cpp else "c", "-", "-x", "none",
                    "-o", program, f"-I{ROOT / 'include'}",
                    *(f"-L{path}" for path in libraries),
                    *(f"-Wl,-rpath,{path}" for path in libraries), "-llstm", "-lmnist",
                    "-lm"], input=source, text=True, check=True)


def run(program, folder, **options):
    """Runs a program in a folder; returns its output."""
    output = subprocess.run([program], cwd=folder, text=True, check=True,
                            stdout=subprocess.PIPE, **options).stdout
    print(output, end="", flush=True)
    return output


def compilers(words):
    """Standards and compilers from arguments: C_COMPILER... [++ C++_COMPILER...]."""
    if "++" not in words:
        return {"c11": words}
    middle = words.index("++")
    return {"c11": words[:middle], "c++20": words[middle + 1:]}
