"""Make an example with its whole data: `python examples/fetch.py --from FOLDER [NAME …]`.

FOLDER (or the environment variable HEADWATER_DATA) holds the data files as `<example>/<file>`, see FILES. The result,
model and data, lies in `examples/full/<example>` (or `--out FOLDER`), ready for `headwater serve --model`.
The model folders here hold excerpts, so that they can be served as they are.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILES = {"online_retail": "onlineretail.parquet", "ecom_clickstream": "ecom.csv.gz"}
"""Example → its data file."""


def fetch(name: str, source: Path, out: Path) -> Path:
    """Copy the model of an example and its whole data file from `source` to `out`; returns the model folder.

    Raises FileNotFoundError when `source` does not hold the file.
    """
    file = FILES[name]
    found = source / name / file
    if not found.is_file():
        raise FileNotFoundError(f"{name}: no {name}/{file} in the data folder")
    folder = out / name
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for model in (HERE / name).glob("*.yml"):
        shutil.copyfile(model, folder / model.name)
    shutil.copyfile(found, folder / "data" / file)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description="Make examples with their whole data.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones: {', '.join(FILES)} (all)")
    parser.add_argument("--from", dest="source", type=Path, help="the data folder (HEADWATER_DATA)")
    parser.add_argument("--out", type=Path, default=HERE / "full", help="where to put them (examples/full)")
    arguments = parser.parse_args()
    source = arguments.source or (Path(os.environ["HEADWATER_DATA"]) if "HEADWATER_DATA" in os.environ else None)
    unknown = [name for name in arguments.names if name not in FILES]
    if unknown:
        parser.error(f"no example {unknown[0]!r}; there are {', '.join(FILES)}")
    if source is None:
        parser.error("say where the data is: --from FOLDER, or HEADWATER_DATA")
    try:
        for name in arguments.names or FILES:
            print(fetch(name, source, arguments.out))
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
