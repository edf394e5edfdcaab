"""Lists a customer's orders with nothing but the standard library. Nothing in
here knows of a local server: see ../README.md for how to run it against one."""

import json
import os
import urllib.parse
import urllib.request

env = os.environ
form = urllib.parse.urlencode({
    "grant_type": "client_credentials",
    "client_id": env["AZURE_CLIENT_ID"],
    "client_secret": env["AZURE_CLIENT_SECRET"],
    "scope": "https://api.partnercenter.microsoft.com/.default",
})
with urllib.request.urlopen(
    f"https://login.microsoftonline.com/{env['AZURE_TENANT_ID']}/oauth2/v2.0/token", form.encode()
) as response:
    token = json.load(response)["access_token"]

request = urllib.request.Request(
    f"https://api.partnercenter.microsoft.com/v1/customers/{env['CUSTOMER_ID']}/orders",
    headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
)
with urllib.request.urlopen(request) as response:
    for order in json.load(response)["items"]:
        print(order["id"], order["creationDate"], order["status"])
