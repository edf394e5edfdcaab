// Command hello lists a customer's orders, with a token from the environment. A test looks
// at its size.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter"
)

// token is a credential of its own kind.
type token string

func (t token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(t), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func main() {
	pc, err := partnercenter.NewClient(token(os.Getenv("TOKEN")), &partnercenter.ClientOptions{Endpoint: os.Getenv("BASE_URL")})
	if err != nil {
		log.Fatal(err)
	}
	for order, err := range pc.Customers.ByID(os.Args[1]).Orders.All(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(order.ID)
	}
}
