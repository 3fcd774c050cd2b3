#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets from the fixtures, and from recorded-shape traffic where there is some.

    fuzz/seeds.py [TRAFFIC]      TRAFFIC: a folder of scenarios; default: $MUSTER_TRAFFIC, or ../shared/idp-traffic

What it writes is committed. Seeds named `found-*` were found by a fuzzer and are kept.
"""

import hashlib
import json
import os
import pathlib
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "crates/scim-core/tests/fixtures"
SEEDS = ROOT / "fuzz/seeds"
TARGETS = ["body", "bulk", "filter", "patch", "path", "token"]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

OWN = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"

# What no fixture has.
FILTERS = [
    'not (emails[type eq "work"]) and (title pr or userName sw "A")',
    f'{ENTERPRISE}:manager.value eq "26118915" or manager eq null',
    'members[value eq "2819c223" and type ne "Group"]',
    'addresses[country eq "GB" or (region pr and not (primary eq true))]',
    'emails[type eq "work"].value eq "ada@example.com"',
    'active eq "False" or externalId eq 12345',
    'userName eq "\\u00e5\\ud83d\\ude00\\"\\\\"',
    'meta.created ge "2011-05-13T04:42:34.123+02:00" and id pr',
    'x509Certificates.value eq "MIIDQzCCAqyg" and schemas co "urn:"',
    f'{OWN}:shoe-size gt 38.25 and {OWN}:levels eq 3 or {OWN}:startedAt lt "2026-01-31T08:00:00Z"',
    f'{OWN}:isGuide ne true and {OWN}:tags co "x" and {OWN}:code eq "A"',
    'emails.primary eq true and photos.value ew ".jpg"',
]
PATHS = [
    "userName", "name.givenName", "emails", "emails.value", "members", "groups", "id", "schemas", "password",
    'emails[type eq "work"]', 'emails[type eq "work"].value', 'members[value eq "u1"]', "addresses[not (primary pr)]",
    'roles[primary eq "True"].value', "$ref", "manager.$ref", ENTERPRISE, f"{ENTERPRISE}:department",
    f"{ENTERPRISE}:manager.value", "urn:ietf:params:scim:schemas:core:2.0:User:name.familyName",
    'name[givenName eq "Ada"].familyName', f"{OWN}:tags", f"{OWN}:rank", OWN, f"{OWN}:hiredAs", f"{OWN}:pin", "userName,emails.value", "meta.location,members.display",
]
BODIES = [
    {"userName": "ada", OWN: {"rank": 7, "shoe-size": 38.5, "tags": ["a"], "levels": [1, 2], "isGuide": "True",
                              "startedAt": "2026-01-31T08:00:00Z", "badge": "TQ==", "site": "https://a", "pin": "1"}},
]
PATCHES = [
    [{"op": "add", "path": f"{OWN}:tags", "value": ["x", "y"]}, {"op": "remove", "path": f"{OWN}:rank"}],
    [{"op": "replace", "value": {OWN: {"levels": [3], "shoe-size": 1e3}, f"{OWN}:code": "x"}}],
]


def operation(method, path, bulk_id=None, data=None):
    made = {"method": method, "path": path, "bulkId": bulk_id, "data": data}
    return {name: value for name, value in made.items() if value is not None}


def group(name, *members):
    return {"displayName": name, "members": [{"value": member} for member in members]}


BULKS = [
    [operation("POST", "/Groups", "a", group("A", "bulkId:b")), operation("POST", "/Groups", "b", group("B", "bulkId:c")),
     operation("POST", "/Groups", "c", group("C", "bulkId:a", "bulkId:u")),
     operation("POST", "/Users", "u", {"userName": "u", ENTERPRISE: {"manager": {"value": "bulkId:v"}}}),
     operation("POST", "/Users", "v", {"userName": "v", ENTERPRISE: {"manager": {"value": "bulkId:u"}}})],
    [operation("PATCH", "/Users/bulkId:x", None, {"Operations": [{"op": "remove", "path": "title"}]}),
     operation("POST", "/Users", "x", {"userName": "x"}), operation("DELETE", "/Users/bulkId:x")],
    [operation("post", "/Users", "x", {"userName": "x"}), operation("POST", "/Users", "x", {"userName": "y"})],
    [operation("PUT", "/Groups/bulkId:nobody", None, group("A")), operation("GET", "/Users/1"), 7],
    [operation("POST", "/Users", "q", {"userName": "bulkId:q", "title": "bulkId:"})],
    [],
]

TOKENS = [
    "Bearer mst_us_pf_0123456789abcdef_0123456789012345678901234567890123456789012",
    "bearer mst_eu_bd_****9f3c", "Bearer tok_0123456789abcdef", "0123456789abcdef", "Bearer", "Bearer Bearer x",
    "Basic YWRhOnB3", "Bearer eyJhbGciOiJub25lIn0.e30.x", "Bearer \"mst_us_pf\"", "Bearer mst_us_pf_abc%0a",
    "Bearer mst_us_pf_0123456789abcdef", "\u00a0mst_us",
    # Bodies of well-formed tokens: the target adds the checksum.
    "~mst_us_pf_0123456789abcdef_0123456789012345678901234567890123456789012",
    "~mst_eu_bd_AbCdEfGhIjKlMnOp_zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ",
    "~mst_ap1_pf_AAAAAAAAAAAAAAAA_0000000000000000000000000000000000000000000",
    "~mat_eu_pf_0123456789abcdef_FEDCBA9876543210abcdefghijklmnopqrstuvwxyz0",
    "~mcs_eu_pf_0123456789abcdef_FEDCBA9876543210abcdefghijklmnopqrstuvwxyz0", "Bearer mcl_eu_pf_0123456789abcdef",
]


def crc_digits(body):
    import zlib

    digits, number = "", zlib.crc32(body.encode())
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = alphabet[digit] + digits
    return digits


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Seeds:
    def __init__(self):
        self.of = {target: {} for target in TARGETS}

    def add(self, target, text):
        # Names of one length, since sorting them must not depend on what they are made from.
        name = hashlib.sha256(text.encode()).hexdigest()[:12]
        self.of[target][name] = text

    def patch(self, body):
        self.add("patch", compact(body))
        for operation in body.get("Operations") or []:
            if isinstance(operation, dict) and isinstance(operation.get("path"), str):
                self.add("path", operation["path"])

    def fixture(self, value):
        for example in value.get("filters", []):
            self.add("filter", example["filter"])
        for body in ("before", "user", "body", "request"):
            if isinstance(value.get(body), dict):
                self.message(value[body])
        for step in value.get("steps", []):
            self.step(step["request"])
        if isinstance(value.get("patch"), dict):
            self.patch(value["patch"])
        if "what" not in value and "schemas" in value:
            self.message(value)

    def message(self, value):
        schemas = json.dumps(value.get("schemas", []))
        if "BulkRequest" in schemas:
            self.add("bulk", compact(value))
        elif "SearchRequest" in schemas:
            self.add("bulk", compact(value))
            self.add("filter", value.get("filter", ""))
        elif "PatchOp" in schemas:
            self.patch(value)
        elif ":messages:" not in schemas and ":Schema\"" not in schemas and len(compact(value)) < 4000:
            self.add("body", compact(value))

    def step(self, request):
        path, body = request.get("path", ""), request.get("body")
        for text in urllib.parse.parse_qs(urllib.parse.urlparse(path).query).get("filter", []):
            self.add("filter", text)
        if isinstance(body, dict):
            self.message(body) if request.get("method") != "PATCH" else self.patch(body)


def main():
    traffic = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MUSTER_TRAFFIC", ROOT / "../shared/idp-traffic")
    seeds = Seeds()
    for text in FILTERS:
        seeds.add("filter", text)
    for text in PATHS:
        seeds.add("path", text)
    for body in BODIES:
        seeds.add("body", compact(body))
    for operations in PATCHES:
        seeds.patch({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
    for operations in BULKS:
        urns = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]
        seeds.add("bulk", compact({"schemas": urns, "failOnErrors": len(operations), "Operations": operations}))
    for text in TOKENS:
        seeds.add("token", text)
        if text.startswith("~"):
            seeds.add("token", f"Bearer {text[1:]}{crc_digits(text[1:])}")
    for path in sorted(FIXTURES.rglob("*.json")):
        value = json.loads(path.read_text())
        if isinstance(value, dict):
            seeds.fixture(value)
    scenarios = sorted(pathlib.Path(traffic).glob("*.json"))
    for path in scenarios:
        for step in json.loads(path.read_text())["steps"]:
            seeds.step(step.get("request", {}))
    for target, made in seeds.of.items():
        folder = SEEDS / target
        folder.mkdir(parents=True, exist_ok=True)
        # Without the traffic, what came of it before is still good.
        if scenarios:
            for old in folder.iterdir():
                if not old.name.startswith("found-"):
                    old.unlink()
        for name, text in made.items():
            (folder / name).write_text(text)
        print(f"{target}: {len(made)} seeds", file=sys.stderr)


if __name__ == "__main__":
    main()
