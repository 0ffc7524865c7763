"""Builds a wheel with both libraries: `pip install examples/python`.

The metadata is in pyproject.toml. The wheel does not bundle other system libraries, so it
runs on this machine or a similar one. The environment variable MESON_ARGS sets options of
Meson.
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
    """Adds the libraries to the modules; an editable install uses those in build/."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        if not (ROOT / "meson.build").is_file():
            raise SystemExit(f"{ROOT}/meson.build not found: build the wheel from "
                             f"examples/python in the source tree")
        folder = pathlib.Path(self.get_finalized_command("build").build_temp, "meson")
        again = ["--reconfigure"] if (folder / "build.ninja").exists() else []
        subprocess.run(["meson", "setup", folder, ROOT, *again, *OPTIONS,
                        *shlex.split(os.environ.get("MESON_ARGS", ""))], check=True)
        subprocess.run(["meson", "compile", "-C", folder], check=True)
        target = pathlib.Path(self.build_lib, "liblstm/_lib")
        target.mkdir(parents=True, exist_ok=True)
        for name in ("lstm", "mnist"):
            file = f"lib{name}.so.1"
            shutil.copyfile(folder / "lib" / name / file, target / file)


class Wheel(bdist_wheel):
    """A wheel for any Python 3 on this platform."""

    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


setup(cmdclass={"build_py": Build, "bdist_wheel": Wheel})
