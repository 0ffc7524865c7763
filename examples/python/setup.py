"""Builds the two libraries into the wheel: `pip install examples/python`.

The rest is in pyproject.toml. The wheel has no other libraries of its own: it is for this
machine, or one like it. MESON_ARGS in the environment has options for Meson.
"""
import os
import pathlib
import shlex
import shutil
import subprocess

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPTIONS = ["--buildtype=release", "-Ddefault_library=shared", "-Dblas=builtin",
           "-Dtests=false", "-Dexamples=false"]


class Build(build_py):
    """Adds the libraries to the modules; an editable install finds them in build/."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        if not (ROOT / "meson.build").is_file():
            raise SystemExit(f"{ROOT}/meson.build is not there: the wheel is built from "
                             f"examples/python of the source tree")
        folder = pathlib.Path(self.get_finalized_command("build").build_temp, "meson")
        again = ["--reconfigure"] if (folder / "build.ninja").exists() else []
        subprocess.run(["meson", "setup", folder, ROOT, *again, *OPTIONS,
                        *shlex.split(os.environ.get("MESON_ARGS", ""))], check=True)
        subprocess.run(["meson", "compile", "-C", folder], check=True)
        target = pathlib.Path(self.build_lib, "liblstm.libs")
        target.mkdir(parents=True, exist_ok=True)
        for name in ("lstm", "mnist"):
            file = f"lib{name}.so.1"
            shutil.copyfile(folder / "lib" / name / file, target / file)


class Wheel(bdist_wheel):
    """For any Python 3, but not for any machine."""

    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


setup(cmdclass={"build_py": Build, "bdist_wheel": Wheel})
