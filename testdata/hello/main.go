// Command hello is the smallest user of the client; a test looks at its size.
package main

import (
	"context"
	"fmt"

	"github.com/partnercenter-go/partnercenter"
)

func main() {
	pc, err := partnercenter.NewClient(nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pc.Customers.ByID("customer").Orders.Get(context.Background()))
}
