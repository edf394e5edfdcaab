package partnercenter

// Numbers that an answer may leave out are pointers. The methods below spare
// readers the check for nil.

// GetLineItemNumber returns LineItemNumber, zero if there is none.
func (l *OrderLineItem) GetLineItemNumber() int { return valueOf(l.LineItemNumber) }

// GetQuantity returns Quantity, zero if there is none.
func (l *OrderLineItem) GetQuantity() int { return valueOf(l.Quantity) }

// GetLineItemNumber returns LineItemNumber, zero if there is none.
func (o *OrderLineItemProvisioningStatus) GetLineItemNumber() int { return valueOf(o.LineItemNumber) }

// GetOrderLineItemID returns OrderLineItemID, zero if there is none.
func (o *OrderLineItemProvisioningStatus) GetOrderLineItemID() int { return valueOf(o.OrderLineItemID) }

// GetQuantity returns Quantity, zero if there is none.
func (q *QuantityProvisioningStatus) GetQuantity() int { return valueOf(q.Quantity) }

// GetLineItemNumber returns LineItemNumber, zero if there is none.
func (o *OrderLineItemActivationLink) GetLineItemNumber() int { return valueOf(o.LineItemNumber) }

// GetSizeInKB returns SizeInKB, zero if there is none.
func (o *OrderAttachment) GetSizeInKB() int { return valueOf(o.SizeInKB) }

// GetQuantity returns Quantity, zero if there is none.
func (s *Subscription) GetQuantity() int { return valueOf(s.Quantity) }

// GetTotalQuantity returns TotalQuantity, zero if there is none.
func (r *RefundableQuantity) GetTotalQuantity() int { return valueOf(r.TotalQuantity) }

// GetQuantity returns Quantity, zero if there is none.
func (r *RefundableDetail) GetQuantity() int { return valueOf(r.Quantity) }

// GetQuantity returns Quantity, zero if there is none.
func (s *SubscriptionProvisioningStatus) GetQuantity() int { return valueOf(s.Quantity) }

// GetMinimumQuantity returns MinimumQuantity, zero if there is none.
func (o *Offer) GetMinimumQuantity() int { return valueOf(o.MinimumQuantity) }

// GetMaximumQuantity returns MaximumQuantity, zero if there is none.
func (o *Offer) GetMaximumQuantity() int { return valueOf(o.MaximumQuantity) }

// GetRank returns Rank, zero if there is none.
func (o *Offer) GetRank() int { return valueOf(o.Rank) }

// GetLimit returns Limit, zero if there is none.
func (o *Offer) GetLimit() int { return valueOf(o.Limit) }

// GetRank returns Rank, zero if there is none.
func (c *OfferCategory) GetRank() int { return valueOf(c.Rank) }

// GetMinimumQuantity returns MinimumQuantity, zero if there is none.
func (s *SKU) GetMinimumQuantity() int { return valueOf(s.MinimumQuantity) }

// GetMaximumQuantity returns MaximumQuantity, zero if there is none.
func (s *SKU) GetMaximumQuantity() int { return valueOf(s.MaximumQuantity) }

// valueOf returns what p points to, zero for nil.
func valueOf(p *int) int {
	if p == nil {
		return 0
	}
	return *p
}
