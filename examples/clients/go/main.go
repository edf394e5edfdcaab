// Command go lists a customer's orders with Azure's identity library and
// net/http. It does not refer to a local server; see ../README.md for how to
// run it against one.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	// The app is in AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.
	credential, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return err
	}
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{
		Scopes: []string{"https://api.partnercenter.microsoft.com/.default"},
	})
	if err != nil {
		return err
	}
	address := "https://api.partnercenter.microsoft.com/v1/customers/" + os.Getenv("CUSTOMER_ID") + "/orders"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("orders: %s", resp.Status)
	}
	var orders struct {
		Items []struct{ ID, CreationDate, Status string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&orders); err != nil {
		return err
	}
	for _, order := range orders.Items {
		fmt.Println(order.ID, order.CreationDate, order.Status)
	}
	return nil
}
