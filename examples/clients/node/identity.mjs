// Lists a customer's orders with Azure's identity library and fetch. Nothing in
// here knows of a local server: see ../README.md for how to run it against one.
import { ClientSecretCredential } from "@azure/identity";

const env = process.env;
const credential = new ClientSecretCredential(
  env.AZURE_TENANT_ID, env.AZURE_CLIENT_ID, env.AZURE_CLIENT_SECRET);
const { token } = await credential.getToken("https://api.partnercenter.microsoft.com/.default");

const response = await fetch(
  `https://api.partnercenter.microsoft.com/v1/customers/${env.CUSTOMER_ID}/orders`,
  { headers: { Authorization: `Bearer ${token}`, Accept: "application/json" } },
);
if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
for (const order of (await response.json()).items) {
  console.log(order.id, order.creationDate, order.status);
}
