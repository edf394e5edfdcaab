"""Lists a customer's orders with MSAL and requests. Nothing in here knows of a
local server: see ../README.md for how to run it against one."""

import os

import msal
import requests

env = os.environ
app = msal.ConfidentialClientApplication(
    env["AZURE_CLIENT_ID"],
    client_credential=env["AZURE_CLIENT_SECRET"],
    authority=f"https://login.microsoftonline.com/{env['AZURE_TENANT_ID']}",
)
answer = app.acquire_token_for_client(["https://api.partnercenter.microsoft.com/.default"])
if "access_token" not in answer:
    raise SystemExit(answer["error_description"])

response = requests.get(
    f"https://api.partnercenter.microsoft.com/v1/customers/{env['CUSTOMER_ID']}/orders",
    headers={"Authorization": f"Bearer {answer['access_token']}", "Accept": "application/json"},
    timeout=60,
)
response.raise_for_status()
for order in response.json()["items"]:
    print(order["id"], order["creationDate"], order["status"])
