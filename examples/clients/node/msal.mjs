// Lists a customer's orders with MSAL and fetch. Nothing in here knows of a
// local server: see ../README.md for how to run it against one.
import { ConfidentialClientApplication } from "@azure/msal-node";

const env = process.env;
const app = new ConfidentialClientApplication({
  auth: {
    authority: `https://login.microsoftonline.com/${env.AZURE_TENANT_ID}`,
    clientId: env.AZURE_CLIENT_ID,
    clientSecret: env.AZURE_CLIENT_SECRET,
  },
});
const { accessToken } = await app.acquireTokenByClientCredential({
  scopes: ["https://api.partnercenter.microsoft.com/.default"],
});

const response = await fetch(
  `https://api.partnercenter.microsoft.com/v1/customers/${env.CUSTOMER_ID}/orders`,
  { headers: { Authorization: `Bearer ${accessToken}`, Accept: "application/json" } },
);
if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
for (const order of (await response.json()).items) {
  console.log(order.id, order.creationDate, order.status);
}
