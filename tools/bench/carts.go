package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// cart has what purchase buys.
	cart = `{"lineItems":[{"catalogItemId":"CFQ7TTC0LH18:0001:CFQ7TTC0K59V","friendlyName":"Business Basic","quantity":5,"billingCycle":"monthly"}]}`
	// checkout is what clients send.
	checkout = `"success"`
)

// makeCarts makes carts for the customers in turn, and returns the paths that check them
// out. Each can be bought once.
func (b *bencher) makeCarts(ctx context.Context, count int) ([]string, error) {
	paths := make([]string, count)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: buyers}}
	defer client.CloseIdleConnections()
	_, err := sideBySide(buyers, func(worker int) (latencies []time.Duration, bytes int64, err error) {
		for i := worker; i < count && err == nil; i += buyers {
			at := time.Now()
			paths[i], err = b.makeCart(ctx, client, customerID(10, i%orderCustomers))
			latencies = append(latencies, time.Since(at))
		}
		return latencies, 0, err
	})
	return paths, err
}

// makeCart makes a cart, and returns the path that checks it out.
func (b *bencher) makeCart(ctx context.Context, client *http.Client, customer string) (string, error) {
	carts := "/v1/customers/" + customer + "/carts"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.address+carts, strings.NewReader(cart))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+b.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	var made struct{ ID string }
	if err == nil {
		err = json.Unmarshal(body, &made)
	}
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusCreated || made.ID == "" {
		return "", fmt.Errorf("a cart is answered with %s: %.200s", resp.Status, body)
	}
	return carts + "/" + made.ID + "/checkout", nil
}
