-- +goose Up
-- +goose StatementBegin

-- Keys were folded by Unicode's rules, by which two names could be one. They are folded
-- for A to Z only, as lower does here. No two of the new keys are the same, as the old
-- ones would have been, too.
UPDATE users SET upn_key = lower(upn) WHERE upn_key <> lower(upn);

DELETE FROM customer_domains;

INSERT INTO customer_domains (partner_id, customer_id, domain)
SELECT DISTINCT c.partner_id, c.customer_id, lower(d.value)
FROM customers c, json_each(c.doc, '$.customDomains') d WHERE d.type = 'text';

-- Offers of these forms only: others are as they were. That is one pass over the
-- subscriptions, a second for 1,000,000 orders.
UPDATE subscriptions SET offer_id = lower(doc ->> '$.offerId')
WHERE offer_id GLOB '*[^ -~]*' AND doc ->> '$.offerId' IS NOT NULL;

UPDATE subscriptions SET offer_id = lower(l.value ->> '$.offerId')
FROM orders o, json_each(o.doc, '$.lineItems') l
WHERE offer_id GLOB '*[^ -~]*' AND subscriptions.doc IS NULL
    AND o.partner_id = subscriptions.partner_id AND o.customer_id = subscriptions.customer_id AND o.order_id = subscriptions.order_id
    AND lower(l.value ->> '$.subscriptionId') = subscriptions.subscription_id AND l.value ->> '$.offerId' IS NOT NULL;

-- +goose StatementEnd
