#!/usr/bin/env python3
"""Make a database with the program of a commit, and write down what that answers.

    record.py COMMIT NAME [postgres://user@host/database]

makes NAME.sqlite.gz or NAME.sql.gz, and NAME.json.gz, in this folder. It needs git
and Go and, for PostgreSQL, an empty database that the address names, and pg_dump.
"""

import gzip
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TENANT = "0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25"
APP = "7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8"
SECRET = "not-a-real-secret"
TOYS = "9d60c2b7-e814-4f35-a0d9-6b31f7c85e42"
STREET = "3c2f9d17-86b4-4e0a-9a57-d1f4b82c6e03"
RESELLER = "43e8b6f2-91d0-4a7c-b5e3-0c7f28d61a94"


def price(amount):
    return {"listPrice": amount, "extendedPrice": amount}


# Each step of the schema that changes what is stored finds something here.
SEED = {
    "format": "partnercenter-seed/1",
    "partners": [{
        "tenantId": TENANT, "name": "Contoso CSP", "domain": "contosocsp.onmicrosoft.com", "mpnId": "5080911", "country": "US",
        "apps": [{"clientId": APP, "name": "billing sync", "secret": SECRET}],
        "indirectResellers": [{"tenantId": RESELLER, "name": "First Up Consultants", "mpnId": "5081207", "location": "US"}],
        "customers": [{
            "id": TOYS, "relationshipToPartner": "Reseller", "associatedPartnerId": RESELLER,
            "companyProfile": {"companyName": "Wingtip Toys", "domain": "wingtiptoys.onmicrosoft.com"},
            "customDomains": ["Toys.Example", "WINGTIP\u0130.example"],
            "orders": [{
                "id": "c5d80f3a7b21", "billingCycle": "Annual", "currencyCode": "USD", "status": "completed", "transactionType": "userPurchase",
                "creationDate": "2024-03-01T09:30:00.1234567Z",
                "lineItems": [{
                    "offerId": "CFQ7TTC0LH18:0001:CFQ7TTC0K59V", "subscriptionId": "e2b7a9c4-6f01-4d83-95be-1a4c70d8f362",
                    "termDuration": "P1Y", "transactionType": "New", "friendlyName": "Microsoft 365 Business Basic", "quantity": 25, "partnerIdOnRecord": "5081207",
                }],
            }, {
                "id": "A81F6D30-47CE-4B92-8D05-E3F7C2196B48", "billingCycle": "monthly", "currencyCode": "EUR", "status": "pending", "creationDate": "2024-03-02T11:00:00-08:00",
                "lineItems": [{"offerId": "MS-AZR-0145P", "subscriptionId": "64be1c07-8f95-4d2a-b3e0-d971a5f8c632", "friendlyName": "Azure", "quantity": 1}],
            }],
        }, {
            "id": STREET,
            "companyProfile": {"companyName": "Lange Stra\u00dfe KG", "domain": "langestrasse.onmicrosoft.com"},
            "orders": [{
                "id": "eeba9d00-7b46-443a-917e-22887a8fc993", "billingCycle": "none", "currencyCode": "EUR", "creationDate": "2023-12-31T23:59:59.9Z", "status": "completed",
                "lineItems": [{"offerId": "Stra\u00dfe-\u00c9TAGE", "friendlyName": "a\u00e9\u4e16\U0001f600", "quantity": 2, "subscriptionId": "1a4c70d8-0000-4d83-95be-e2b7a9c46f01"}],
            }],
        }],
    }],
}
USERS = [{"userPrincipalName": "ada@contosocsp.onmicrosoft.com", "name": "Ada Byron", "roles": ["admin_agent"]}]

ORDERS = [
    (TOYS, {"referenceCustomerId": TOYS, "billingCycle": "monthly", "lineItems": [
        {"lineItemNumber": 0, "offerId": "031C9E47-4802-4248-838E-778FB1D2CC05", "friendlyName": "Office", "quantity": 5}]}),
    (TOYS, {"referenceCustomerId": TOYS, "billingCycle": "monthly", "currencyCode": "USD", "lineItems": [
        {"lineItemNumber": 0, "offerId": "CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN", "friendlyName": "Shop floor", "quantity": 12, "termDuration": "P1Y"},
        {"lineItemNumber": 1, "offerId": "CFQ7TTC0LH0T:0001:CFQ7TTC0KHPG", "quantity": 3, "termDuration": "P1Y"}]}),
    (STREET, {"referenceCustomerId": STREET, "billingCycle": "annual", "lineItems": [
        {"lineItemNumber": 0, "offerId": "796B6B5F-613C-4E24-A17C-EBA730D49C02", "quantity": 1}]}),
]
CARTS = [
    (TOYS, {"lineItems": [{"catalogItemId": "CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN", "quantity": 2, "billingCycle": "monthly", "termDuration": "P1Y"}]}),
    (STREET, {"lineItems": [{"catalogItemId": "91FD106F-4B2C-4938-95AC-F54F74E9A239", "quantity": 3, "billingCycle": "monthly",
                             "addonItems": [{"catalogItemId": "C94271D8-B431-4A25-A3C5-A57737A1C909", "quantity": 2}]}]}),
]


class Server:
    def __init__(self, program, database, seed, folder):
        ready = os.path.join(folder, "ready.json")
        self.process = subprocess.Popen(
            [program, "serve", "--db", database, "--seed", seed, "--ready-file", ready, "--ca-dir", os.path.join(folder, "ca"),
             "--listen", "127.0.0.1:0", "--listen-tls", "", "--control", "", "--log-level", "error"], stdout=subprocess.DEVNULL)
        try:
            self.connect(ready)
        except BaseException:
            self.process.kill()
            raise

    def connect(self, ready):
        while True:
            if self.process.poll() is not None:
                sys.exit("the server does not start")
            try:
                with open(ready) as f:
                    self.url = json.load(f)["apiUrl"]
                break
            except (FileNotFoundError, json.JSONDecodeError):
                time.sleep(0.05)
        form = {"grant_type": "client_credentials", "client_id": APP, "client_secret": SECRET, "resource": "https://api.partnercenter.microsoft.com"}
        request = urllib.request.Request(self.url + "/" + TENANT + "/oauth2/token", urllib.parse.urlencode(form).encode())
        self.token = json.load(urllib.request.urlopen(request))["access_token"]

    def call(self, method, path, body=None, content="application/json", **headers):
        request = urllib.request.Request(self.url + path, body, {"Authorization": "Bearer " + self.token, "Accept": "application/json", **headers}, method=method)
        if body is not None:
            request.add_header("Content-Type", content)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as e:
            return e.code, e.read()

    def json(self, method, path, value=None, **headers):
        status, body = self.call(method, path, None if value is None else json.dumps(value).encode(), **headers)
        try:
            return status, json.loads(body.decode("utf-8-sig"))
        except ValueError:
            return status, None

    def __enter__(self):
        return self

    def __exit__(self, *failed):
        self.stop()

    def stop(self):
        self.process.terminate()
        if self.process.wait():
            sys.exit("the server does not end well")


def write(server):
    """Place orders, change one and the subscription of another, make carts and check one out, as far as the program can.

    Returns the paths of what is not listed."""
    placed = []
    for n, (customer, order) in enumerate(ORDERS):
        status, answer = server.json("POST", f"/v1/customers/{customer}/orders", order, **{"MS-RequestId": f"00000000-0000-4000-8000-00000000000{n}"})
        if status == 405:
            return []
        if status != 201:
            sys.exit(f"an order is answered with {status}: {answer}")
        placed.append(f"/v1/customers/{customer}/orders/{answer['id']}")
    order = server.json("GET", placed[0])[1]
    order["billingCycle"] = "annual"
    subscriptions = server.json("GET", f"/v1/customers/{TOYS}/subscriptions")[1]["items"]
    subscription = next(s for s in subscriptions if s["orderId"] == placed[1].split("/")[-1])
    subscription["quantity"] += 2
    for path, change in (placed[0], order), (f"/v1/customers/{TOYS}/subscriptions/{subscription['id']}", subscription):
        status, answer = server.json("PATCH", path, change)
        if status != 200:
            sys.exit(f"a change is answered with {status}: {answer}")
    carts = []
    for customer, cart in CARTS:
        status, answer = server.json("POST", f"/v1/customers/{customer}/carts", cart)
        if status == 201:
            carts.append(f"/v1/customers/{customer}/carts/{answer['id']}")
    if carts and (status := server.json("POST", carts[0] + "/checkout")[0]) != 201:
        sys.exit(f"a checkout is answered with {status}")
    return carts


def read(server, more):
    """Return the answers to all that is compared, by path."""
    starts = urllib.parse.quote(json.dumps({"Field": "CompanyName", "Value": "LANGE STRASS", "Operator": "starts_with"}))
    paths = ["/v1/customers", "/v1/customers?size=1", "/v1/customers?filter=" + starts]
    for customer in TOYS, STREET:
        at = f"/v1/customers/{customer}"
        paths += [at, at + "/orders", at + "/orders?price=true", at + "/subscriptions"]
        for order in server.json("GET", at + "/orders")[1]["items"]:
            paths.append(f"{at}/orders/{order['id']}?price=true")
    answers = {}
    for path in paths + more:
        status, body = server.json("GET", path)
        if status == 200:
            answers[path] = body
    answers["/common/discovery/keys"] = server.json("GET", "/common/discovery/keys")[1]
    return answers


def compressed(name, data):
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(gzip.compress(data, 9, mtime=0))
    print(name, os.path.getsize(os.path.join(HERE, name)))


def main(commit, name, postgres=None):
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "source"), os.path.join(folder, "partnercenter")
        subprocess.run(["git", "-C", HERE, "worktree", "add", "--quiet", "--detach", source, commit], check=True)
        try:
            subprocess.run(["go", "build", "-o", program, "./cmd/partnercenter"], cwd=source, check=True)
        finally:
            subprocess.run(["git", "-C", HERE, "worktree", "remove", "--force", source], check=True)
        seed = os.path.join(folder, "seed.json")
        if not name.startswith("01"):
            SEED["partners"][0]["users"] = USERS
        with open(seed, "w") as f:
            json.dump(SEED, f)
        database = postgres or os.path.join(folder, "old.db")
        with Server(program, database, seed, folder) as server:
            more = write(server)
        with Server(program, database, seed, folder) as server:  # what is in memory does not count
            answers, now = read(server, more), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        compressed(name + ".json.gz", json.dumps({"commit": commit, "time": now, "answers": answers}, ensure_ascii=False, indent=1).encode())
        if postgres:
            dump = subprocess.run(["pg_dump", "--inserts", "--no-owner", "--no-privileges", postgres], check=True, capture_output=True).stdout
            lines = [line for line in dump.splitlines() if not line.startswith((b"--", b"\\"))]
            compressed(name + ".sql.gz", b"\n".join(line for line in lines if line) + b"\n")
            return
        connection = sqlite3.connect(database)
        connection.execute("VACUUM")
        connection.close()
        with open(database, "rb") as f:
            compressed(name + ".sqlite.gz", f.read())


main(*sys.argv[1:])
