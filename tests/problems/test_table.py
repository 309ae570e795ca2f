"""Tables as people have them: each wrong one is told where it is wrong, each odd but sound one is read."""

import time
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from lrbench.errors import RequestError
from lrbench.problems import csv
from lrbench.problems.data import scaled


@pytest.fixture
def table(tmp_path):
    """Write a table of text or bytes, or of columns as parquet, and return its path."""

    def write(content, name="houses.csv"):
        path = tmp_path / name
        if isinstance(content, dict):
            parquet.write_table(pa.table(content), path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


SOUND = "size,rooms,price\n50,2,1\n80,3,2\n65.5,1,4\n"


def raw(path, target="price", **settings):
    return csv(path, target, standardize=False, **settings)


# ---- what is read


def test_a_plain_table(table):
    data = raw(table(SOUND))
    assert (data.features, data.target, data.intercept, data.scaler) == (
        ("size", "rooms"),
        "price",
        True,
        None,
    )
    assert data.X.tolist() == [[50, 2], [80, 3], [65.5, 1]]
    assert data.y.tolist() == [1, 2, 4]


def test_chosen_columns_in_the_order_given(table):
    path = table("id,city,size,rooms,price\n1,Rome,50,2,1\n2,,80,3,2\n")
    assert raw(path, features=["rooms", "size"]).X.tolist() == [[2, 50], [3, 80]]
    assert raw(path, target="rooms", features=("price",), intercept=False).y.tolist() == [2, 3]


def test_standardized_unless_told_otherwise(table):
    data = scaled(csv(table(SOUND), "price"), target=True)
    np.testing.assert_allclose(
        [data.X.mean(), data.y.mean(), *data.X.std(axis=0), data.y.std()], [0, 0, 1, 1, 1], atol=1e-15
    )
    np.testing.assert_allclose(data.scaler.x_mean, [65.16666666666667, 2])


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfx,y\n1,2\n3,4\n",
        "x,y\r\n1,2\r\n3,4\r\n",
        "x,y\r1,2\r3,4",
        "\n\nx,y\n\n1,2\n\n3,4\n\n",
        "x,y\n1,2\n3,4",
        '"x","y"\n"1","2"\n"3","4"\n',
        " x , y \n 1 , 2 \n 3 ,4\n",
        "x,y\n+1,2.\n3e0,.4E1\n",
        'x,y,note\n1,2,"a, b\nand ""c"""\n3,4,\n',
        "x,y,größe\n1,2,ja\n3,4,nein\n",
    ],
    ids=[
        "byte-order mark",
        "CRLF",
        "CR",
        "blank lines",
        "no last newline",
        "quotes",
        "spaces",
        "number forms",
        "quoted text",
        "umlauts",
    ],
)
def test_odd_but_sound_text(table, content):
    data = raw(table(content), "y", features=["x"])
    assert (data.X.tolist(), data.y.tolist()) == ([[1], [3]], [2, 4])


@pytest.mark.parametrize(
    ("content", "X"),
    [
        ("a,b,y\ntrue,7,1\nfalse,7,2\n", [[1, 7], [0, 7]]),
        ("a,b,y\n1,1,1\n2,2,2\n", [[1, 1], [2, 2]]),
        ("a,b,c,y\n1,2,3,4\n", [[1, 2, 3]]),
        ("a,b,y\n1e12,1e-12,1\n-3e12,2e-12,2\n", [[1e12, 1e-12], [-3e12, 2e-12]]),
        ("a,y\n9007199254740993,1\n99999999999999999999,2\n", [[9007199254740993.0], [1e20]]),
        ("2020,y\n1,2\n", [[1]]),
    ],
    ids=[
        "true and constant",
        "duplicated columns",
        "one row, n < d",
        "1e12 beside 1e-12",
        "large integers",
        "a number as name",
    ],
)
def test_odd_but_sound_numbers(table, content, X):
    data = raw(table(content), "y")
    assert (data.X == X).all()


def test_names_may_be_numbers(table):
    assert csv(table("2020,2021\n1,2\n3,4\n"), 2021, features=[2020]).features == ("2020",)


def test_a_constant_column_standardizes_to_zero(table):
    data = scaled(csv(table("a,b,y\n7,1,1\n7,2,2\n"), "y"), target=True)
    assert data.X.tolist() == [[0, -1], [0, 1]]


@pytest.mark.parametrize(
    "kind",
    [
        pa.int8(),
        pa.int64(),
        pa.uint16(),
        pa.uint64(),
        pa.float16(),
        pa.float32(),
        pa.float64(),
        pa.bool_(),
        pa.decimal128(5, 2),
    ],
    ids=str,
)
def test_parquet_of_any_numeric_type(table, kind):
    values = {
        pa.bool_(): [True, False],
        pa.float16(): [np.float16(1), np.float16(0)],
        pa.decimal128(5, 2): [Decimal(1), Decimal(0)],
    }.get(kind, [1, 0])
    data = raw(table({"x": pa.array(values, kind), "price": [1.5, 2.5]}, "houses.PARQUET"))
    assert (data.X.tolist(), data.y.tolist()) == ([[1], [0]], [1.5, 2.5])


def test_the_same_data_from_either_format(table):
    columns = {"size": [50, 80, 65.5], "rooms": [2, 3, 1], "price": [1, 2, 4]}
    one, other = csv(table(SOUND), "price"), csv(table(columns, "houses.parquet"), "price")
    assert (one.X == other.X).all()
    assert (one.y == other.y).all()


def test_200_000_rows_are_fast(table):
    row = ",".join(map(str, np.random.default_rng(0).normal(size=10)))
    path = table(",".join("abcdefghij") + "\n" + f"{row}\n" * 200_000)
    start = time.perf_counter()
    assert csv(path, "a").n == 200_000
    assert time.perf_counter() - start < 5


def test_home_directory(table, monkeypatch, tmp_path):
    table(SOUND)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert raw("~/houses.csv").n == 3


# ---- what is refused

CELL = r"problem\.path: .*houses\.csv, "


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"houses\.csv is empty"),
        (b"\xef\xbb\xbf", r"houses\.csv is empty"),
        ("\n \n", r"houses\.csv is empty"),
        ("size,price\n", r"houses\.csv has column names, but no row of data"),
        ("size,price", r"houses\.csv has column names, but no row of data"),
        ("size,size,price\n1,2,3\n", r"houses\.csv has 2 columns called 'size'"),
        ("size,cost\n1,2\n", r"problem\.target: .*houses\.csv has no column 'price'. There are: cost, size"),
        ("size,prize\n1,2\n", r"problem\.target: .* no column 'price'. Did you mean 'prize'\?"),
        ("size;price\n1;2\n", r"problem\.target: .* Cells are separated by commas"),
        (
            "price\n1\n",
            r"problem\.features: no feature is left to predict 'price' from. .* the columns price",
        ),
        (",size,price\n0,1,2\n", r"problem\.features: a column of .* has no name"),
        (
            "size,price\n1,2\n\n3\n",
            r"houses\.csv is no table: cells in line 4: 1, in the header: 2\. Look for a comma",
        ),
        ("size,price\n1,2\n3,4,5\n", r"houses\.csv is no table: cells in line 3: 3, in the header: 2"),
        ('size,price\n1,2\n"3,4\n5,6\n', r"cells in line 3: 1, in the header: 2"),
        ("größe,price\n1,2\n".encode("latin-1"), r"houses\.csv is not UTF-8 \(byte 0xf6 in line 1\)"),
        ("size,price\n1,2\n\xa03,4\n".encode("latin-1"), r"houses\.csv is not UTF-8 \(byte 0xa0 in line 3\)"),
        ("size,price\n1,2\n".encode("utf-16"), r"houses\.csv is not UTF-8 \(byte 0xff in line 1\)"),
        (
            "size,price\n1,2\nbig,4\n",
            CELL + r"line 3, column 'size': the cell holds 'big'; a finite number is needed",
        ),
        ("size,price\n1,2\n\n\n,4\n", CELL + r"line 5, column 'size': the cell is empty"),
        ("size,price\r\n\r\n1,2\r\n3,\r\n", CELL + r"line 4, column 'price': the cell is empty"),
        ("size,price\n1,2\n3, \n", CELL + r"line 3, column 'price': the cell is empty"),
        ("size,price\n,\n", CELL + r"line 2, column 'size': the cell is empty"),
        ("size,price\n1,2\n3,NaN\n", CELL + r"line 3, column 'price': the cell holds 'NaN'"),
        ("size,price\n1,2\n3,NA\n5,\n", CELL + r"line 3, column 'price': the cell holds 'NA'"),
        ("size,price\n1,2\ninf,4\n", CELL + r"line 3, column 'size': the cell holds 'inf'"),
        ("size,price\n1,2\n1e999,4\n", CELL + r"line 3, column 'size': the cell holds '1e999'"),
        (
            "date,price\n2020-01-01,2\n",
            CELL + r"line 2, column 'date': the cell holds '2020-01-01'.*problem\.features=\[\.\.\.\]",
        ),
        ("time,price\n12:30,2\n", CELL + r"line 2, column 'time': the cell holds '12:30'"),
        ('note,price\n"two\nlines",1\n', CELL + r"line 2, column 'note': the cell holds 'two\nlines'"),
        ('size,note,price\n1,"two\nlines",2\nx,"",4\n', CELL + r"line 4, column 'size': the cell holds 'x'"),
        ("size,price\n1_000,2\n", CELL + r"line 2, column 'size': the cell holds '1_000'"),
        ('size,price\n"1,5",2\n', CELL + r"line 2, column 'size': the cell holds '1,5'"),
        ("size,price\n12.5%,2\n", CELL + r"line 2, column 'size': the cell holds '12\.5%'"),
        ("size,price\ntrue,2\n7,4\n", CELL + r"line 2, column 'size': the cell holds 'true'"),
        ('size,price\n1,"2\n3,4\n', CELL + r"line 2, column 'price': the cell holds '2\n3,4"),
        (
            'size,price\n1,"' + "2,\n" * 100_000,
            r"houses\.csv is no table: field larger .* line 2\. Is there a quote without its partner\?",
        ),
    ],
)
def test_wrong_csv(table, content, message):
    with pytest.raises(RequestError, match=message):
        csv(table(content), "price")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"features": ["size", "room"]},
            (
                r"problem\.features: .*houses\.csv has no column 'room'. Did you mean 'rooms'\? There "
                r"are: price, rooms, size"
            ),
        ),
        ({"features": []}, r"problem\.features: no feature is left"),
        ({"features": ["price"]}, r"problem\.features: 'price' is the target. Take it out"),
        ({"features": ["size", "size"]}, r"problem\.features: 'size' is there twice. Take it out"),
        (
            {"features": "size"},
            r"problem\.features: must be a list, but 'size' was given. Write problem\.features=\[size\]",
        ),
        ({"features": 3}, r"problem\.features: must be a list, but '3' was given"),
        ({"standardize": "yes"}, r"problem\.standardize: must be true or false, but 'yes'"),
        ({"intercept": None}, r"problem\.intercept: must be true or false, but None"),
    ],
)
def test_wrong_settings(table, settings, message):
    with pytest.raises(RequestError, match=message):
        csv(table(SOUND), "price", **settings)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"x": pa.array([], pa.float64()), "price": pa.array([], pa.float64())}, "no row of data"),
        ({"x": ["1", "2"], "price": [1, 2]}, r"row 1, column 'x': the cell holds '1'"),
        ({"x": ["1", None], "price": [1, 2]}, r"row 2, column 'x': the cell is empty"),
        ({"x": [1.0, None], "price": [1, 2]}, r"houses\.parquet, row 2, column 'x': the cell is empty"),
        ({"x": [True, None], "price": [1, 2]}, r"row 2, column 'x': the cell is empty"),
        ({"x": [1.0, float("nan")], "price": [1, 2]}, r"row 2, column 'x': the cell holds 'nan'"),
        ({"x": pa.nulls(2), "price": [1, 2]}, r"row 1, column 'x': the cell is empty"),
        ({"x": [[1], [2]], "price": [1, 2]}, r"row 1, column 'x': the cell holds '\[1\]'"),
    ],
)
def test_wrong_parquet(table, columns, message):
    with pytest.raises(RequestError, match=message):
        csv(table(columns, "houses.parquet"), "price")


@pytest.mark.parametrize("content", [b"", b"PAR1 and what follows is no parquet PAR1", SOUND])
def test_broken_parquet(table, content):
    with pytest.raises(RequestError, match=r"houses\.parquet is no valid parquet file"):
        csv(table(content, "houses.parquet"), "price")


def test_a_file_that_cannot_be_read(table, tmp_path):
    with pytest.raises(
        RequestError, match=r"cannot read .*castles\.csv: No such file or directory. Paths are relative to /"
    ):
        csv(str(tmp_path / "castles.csv"), "price")
    with pytest.raises(RequestError, match=r"cannot read .*: Is a directory"):
        csv(str(tmp_path), "price")
    with pytest.raises(RequestError, match=r"houses\.xlsx must end in \.csv or \.parquet"):
        csv(table(SOUND, "houses.xlsx"), "price")
