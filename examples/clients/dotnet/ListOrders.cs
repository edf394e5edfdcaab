using System;
using System.Collections.Generic;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using System.Threading.Tasks;

/// <summary>
/// Lists a customer's orders with nothing but the class library. Nothing in here knows of a local
/// server: see ../README.md for how to run it against one.
/// </summary>
public static class ListOrders
{
    public static void Main()
    {
        Run().GetAwaiter().GetResult();
    }

    private static async Task Run()
    {
        using (var client = new HttpClient())
        {
            var form = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["client_id"] = Setting("AZURE_CLIENT_ID"),
                ["client_secret"] = Setting("AZURE_CLIENT_SECRET"),
                ["scope"] = "https://api.partnercenter.microsoft.com/.default",
            });
            var token = await client.PostAsync($"https://login.microsoftonline.com/{Setting("AZURE_TENANT_ID")}/oauth2/v2.0/token", form);
            token.EnsureSuccessStatusCode();
            var text = Regex.Match(await token.Content.ReadAsStringAsync(), "\"access_token\":\"([^\"]+)\"").Groups[1].Value;

            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", text);
            client.DefaultRequestHeaders.Accept.ParseAdd("application/json");
            Console.WriteLine(await client.GetStringAsync(
                $"https://api.partnercenter.microsoft.com/v1/customers/{Setting("CUSTOMER_ID")}/orders"));
        }
    }

    private static string Setting(string name)
    {
        return Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException(name + " is not set");
    }
}
