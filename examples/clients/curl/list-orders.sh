#!/bin/sh
# Lists a customer's orders with curl. Nothing in here knows of a local server: see
# ../README.md for how to run it against one.
set -eu

token=$(curl -fsS "https://login.microsoftonline.com/$AZURE_TENANT_ID/oauth2/v2.0/token" \
	-d grant_type=client_credentials \
	-d scope=https://api.partnercenter.microsoft.com/.default \
	--data-urlencode "client_id=$AZURE_CLIENT_ID" \
	--data-urlencode "client_secret=$AZURE_CLIENT_SECRET" |
	sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -fsS -H "Authorization: Bearer $token" \
	"https://api.partnercenter.microsoft.com/v1/customers/$CUSTOMER_ID/orders"
