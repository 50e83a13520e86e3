"""Write the demo's price files; run by hand after `pip install --no-deps bokeh_sampledata==2026.1`.

`prices.csv.gz` is a cut of real closes, their digits copied as text. `synthetic.csv` holds a coin
and an NFT that never existed: straight lines between hand-picked points plus a seeded, fading
noise, all in whole numbers, so that every machine writes the same prices.
"""

import csv
import gzip
import hashlib
import io
from datetime import date
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

HERE = Path(__file__).parent
SOURCE_SHA256 = "5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd"
TICKERS = {"AAPL", "GOOG", "IBM", "MSFT"}
FIRST, LAST = "2007-10-01", "2009-05-29"

COIN = "eip155:1/slip44:60"
NFT = "eip155:1/erc721:0x00000000000000000000000000000000deadbeef/412"
POINTS = {  # Dates and cents.
    COIN: "2007-10-01 36000 2007-12-14 52000 2008-02-25 37000 2008-05-14 48500 "
    "2008-09-12 30000 2008-11-20 15600 2009-01-20 17500 2009-05-29 28400",
    NFT: "2007-10-01 1200000 2008-06-16 830000 2008-12-15 420000 2009-05-29 200000",
}
NOISE = {COIN: (60, 350), NFT: (412, 60)}  # Seed, and the largest daily push in basis points.


def read_closes() -> list[tuple[str, ...]]:
    """Unadjusted closes of the period as (date, ticker, close), from exactly the file we know."""
    package = find_spec("bokeh_sampledata")
    if package is None or package.origin is None:
        raise SystemExit("bokeh_sampledata is not installed")
    source = (Path(package.origin).parent / "_data" / "stocks.csv.gz").read_bytes()
    if hashlib.sha256(source).hexdigest() != SOURCE_SHA256:
        raise SystemExit("stocks.csv.gz is not the file of bokeh_sampledata 2026.1")
    rows = csv.DictReader(io.StringIO(gzip.decompress(source).decode()))
    cut = (row for row in rows if row["Ticker"] in TICKERS and FIRST <= row["Date"] <= LAST)
    return sorted((row["Date"], row["Ticker"], row["Close"]) for row in cut)


def walk(asset: str, days: list[str]) -> list[tuple[str, ...]]:
    """A made-up price for each day: the line through the asset's points, moved by its noise."""
    words = POINTS[asset].split()
    points = [(date.fromisoformat(d), int(c)) for d, c in zip(words[::2], words[1::2], strict=True)]
    rows: list[tuple[str, ...]] = []
    (state, push), noise = NOISE[asset], 0
    for day in map(date.fromisoformat, days):
        (start, low), (end, high) = next(leg for leg in pairwise(points) if day <= leg[1][0])
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        noise = noise * 85 // 100 + (state >> 33) % (2 * push + 1) - push
        line = low + (high - low) * (day - start).days // (end - start).days
        cents = line * (10_000 + noise) // 10_000
        rows.append((day.isoformat(), asset, f"{cents // 100}.{cents % 100:02}", "synthetic"))
    return rows


def to_csv(header: str, rows: list[tuple[str, ...]]) -> bytes:
    return "".join(f"{line}\n" for line in [header, *map(",".join, rows)]).encode()


def main() -> None:
    closes = read_closes()
    days = sorted({day for day, _, _ in closes})
    made_up = sorted(row for asset in POINTS for row in walk(asset, days))
    with (HERE / "prices.csv.gz").open("wb") as out, gzip.GzipFile("", "wb", 9, out, 0) as packed:
        packed.write(to_csv("date,asset,price", closes))
    (HERE / "synthetic.csv").write_bytes(to_csv("date,asset,price,source", made_up))


if __name__ == "__main__":
    main()
