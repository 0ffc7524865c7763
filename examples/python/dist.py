#!/usr/bin/env python3
"""Replaces the links in an archive of the package by the files of the tree that they name.
Meson runs it for `meson dist`."""
import os
import pathlib
import shutil


def main():
    source, archive = (pathlib.Path(os.environ[f"MESON_{name}_ROOT"])
                       for name in ("SOURCE", "DIST"))
    for link in sorted(path for path in archive.rglob("*") if path.is_symlink()):
        target = (source / link.relative_to(archive)).resolve()
        link.unlink()
        if target.is_dir():
            shutil.copytree(target, link, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(target, link)


if __name__ == "__main__":
    main()
