"""The recipes of Spack and Apptainer, as far as they can be looked at without these programs."""
import ast
import pathlib
import re
import subprocess
import sys

source = pathlib.Path(sys.argv[1])


def spack():
    """The package parses, and passes only options that CMakeLists.txt has."""
    folder = source / "jobs/spack/spack_repo/skv"
    text = (folder / "packages/skv/package.py").read_text()
    tree = ast.parse(text)
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert classes == ["Skv"], classes
    cmake = (source / "CMakeLists.txt").read_text()
    options = re.findall(r'"(SKV_\w+)"', text)
    assert options and all(re.search(rf"\b{o}\b", cmake) for o in options), options
    assert "namespace: skv" in (folder / "repo.yaml").read_text()
    # the clone that the package builds is this one
    assert (folder / "packages/skv/package.py").resolve().parents[6] == source.resolve()


def apptainer():
    """Every section is one that Apptainer has, scripts parse, and their packages are named."""
    text = (source / "jobs/skv.def").read_text()
    headers = re.findall(r"^(\w+): \S+$", text, re.M)
    assert set(headers) == {"Bootstrap", "From", "Stage"}, headers
    parts = re.split(r"^(%[a-z]+.*)$", text, flags=re.M)
    for name, body in zip(parts[1::2], parts[2::2]):
        section = name.split()[0]
        assert section in ("%files", "%post", "%environment", "%runscript", "%test", "%help"), name
        body = body.split("\nBootstrap:")[0]
        if section not in ("%files", "%help"):
            subprocess.run(["bash", "-n"], input=body, text=True, check=True)
    install = (source / "jobs/install.sh").read_text()
    lists = re.findall(r"\$\{(skv_packages_\w+)\[", text)
    assert len(lists) == 2 and all(f"{name}=(" in install for name in lists), lists


spack()
apptainer()
