import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Lists a customer's orders with nothing but the JDK. Nothing in here knows of a local server: see
 * ../README.md for how to run it against one.
 */
public class ListOrders {
    public static void main(String[] args) throws Exception {
        Map<String, String> env = System.getenv();
        HttpClient client = HttpClient.newHttpClient();

        String form = Map.of(
                        "grant_type", "client_credentials",
                        "client_id", env.get("AZURE_CLIENT_ID"),
                        "client_secret", env.get("AZURE_CLIENT_SECRET"),
                        "scope", "https://api.partnercenter.microsoft.com/.default")
                .entrySet().stream()
                .map(e -> e.getKey() + "=" + URLEncoder.encode(e.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        String answer = send(client, HttpRequest.newBuilder()
                .uri(URI.create("https://login.microsoftonline.com/" + env.get("AZURE_TENANT_ID") + "/oauth2/v2.0/token"))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(form))
                .build());
        Matcher token = Pattern.compile("\"access_token\":\"([^\"]+)\"").matcher(answer);
        if (!token.find()) {
            throw new IllegalStateException("no token in the answer");
        }

        String orders = send(client, HttpRequest.newBuilder()
                .uri(URI.create("https://api.partnercenter.microsoft.com/v1/customers/" + env.get("CUSTOMER_ID") + "/orders"))
                .header("Authorization", "Bearer " + token.group(1))
                .header("Accept", "application/json")
                .build());
        // The JDK reads no JSON; the ids will do.
        Matcher id = Pattern.compile("\\{\"id\":\"([^\"]+)\",\"(?:alternateId|referenceCustomerId)\"").matcher(orders);
        while (id.find()) {
            System.out.println(id.group(1));
        }
    }

    private static String send(HttpClient client, HttpRequest request) throws Exception {
        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IllegalStateException(response.statusCode() + " " + response.body());
        }
        return response.body();
    }
}
