package partnercenter

// Optional numbers are pointers. The methods below save callers the nil check.

// GetLineItemNumber returns LineItemNumber, or zero if there is none.
func (l *OrderLineItem) GetLineItemNumber() int { return valueOf(l.LineItemNumber) }

// GetQuantity returns Quantity, or zero if there is none.
func (l *OrderLineItem) GetQuantity() int { return valueOf(l.Quantity) }

// GetID returns ID, or zero if there is none.
func (l *CartLineItem) GetID() int { return valueOf(l.ID) }

// GetQuantity returns Quantity, or zero if there is none.
func (l *CartLineItem) GetQuantity() int { return valueOf(l.Quantity) }

// GetAvailableQuantity returns AvailableQuantity, or zero if there is none.
func (i *CartErrorInformation) GetAvailableQuantity() int { return valueOf(i.AvailableQuantity) }

// GetPurchasedQuantity returns PurchasedQuantity, or zero if there is none.
func (i *CartErrorInformation) GetPurchasedQuantity() int { return valueOf(i.PurchasedQuantity) }

// GetLineItemNumber returns LineItemNumber, or zero if there is none.
func (o *OrderLineItemProvisioningStatus) GetLineItemNumber() int { return valueOf(o.LineItemNumber) }

// GetOrderLineItemID returns OrderLineItemID, or zero if there is none.
func (o *OrderLineItemProvisioningStatus) GetOrderLineItemID() int { return valueOf(o.OrderLineItemID) }

// GetQuantity returns Quantity, or zero if there is none.
func (q *QuantityProvisioningStatus) GetQuantity() int { return valueOf(q.Quantity) }

// GetLineItemNumber returns LineItemNumber, or zero if there is none.
func (o *OrderLineItemActivationLink) GetLineItemNumber() int { return valueOf(o.LineItemNumber) }

// GetSizeInKB returns SizeInKB, or zero if there is none.
func (o *OrderAttachment) GetSizeInKB() int { return valueOf(o.SizeInKB) }

// GetQuantity returns Quantity, or zero if there is none.
func (s *Subscription) GetQuantity() int { return valueOf(s.Quantity) }

// GetQuantity returns Quantity, or zero if there is none.
func (s *SubscriptionInstructions) GetQuantity() int { return valueOf(s.Quantity) }

// GetTotalQuantity returns TotalQuantity, or zero if there is none.
func (r *RefundableQuantity) GetTotalQuantity() int { return valueOf(r.TotalQuantity) }

// GetQuantity returns Quantity, or zero if there is none.
func (r *RefundableDetail) GetQuantity() int { return valueOf(r.Quantity) }

// GetQuantity returns Quantity, or zero if there is none.
func (s *SubscriptionProvisioningStatus) GetQuantity() int { return valueOf(s.Quantity) }

// GetMinimumQuantity returns MinimumQuantity, or zero if there is none.
func (o *Offer) GetMinimumQuantity() int { return valueOf(o.MinimumQuantity) }

// GetMaximumQuantity returns MaximumQuantity, or zero if there is none.
func (o *Offer) GetMaximumQuantity() int { return valueOf(o.MaximumQuantity) }

// GetRank returns Rank, or zero if there is none.
func (o *Offer) GetRank() int { return valueOf(o.Rank) }

// GetLimit returns Limit, or zero if there is none.
func (o *Offer) GetLimit() int { return valueOf(o.Limit) }

// GetSequenceID returns SequenceID, or zero if there is none.
func (c *CancellationRefundOption) GetSequenceID() int { return valueOf(c.SequenceID) }

// GetRank returns Rank, or zero if there is none.
func (c *OfferCategory) GetRank() int { return valueOf(c.Rank) }

// GetMinimumQuantity returns MinimumQuantity, or zero if there is none.
func (s *SKU) GetMinimumQuantity() int { return valueOf(s.MinimumQuantity) }

// GetMaximumQuantity returns MaximumQuantity, or zero if there is none.
func (s *SKU) GetMaximumQuantity() int { return valueOf(s.MaximumQuantity) }

// GetQuantity returns Quantity, or zero if there is none.
func (t *TransitionEligibility) GetQuantity() int { return valueOf(t.Quantity) }

// GetQuantity returns Quantity, or zero if there is none.
func (t *Transition) GetQuantity() int { return valueOf(t.Quantity) }

// GetQuantity returns Quantity, or zero if there is none.
func (u *Upgrade) GetQuantity() int { return valueOf(u.Quantity) }

// GetQuantity returns Quantity, or zero if there is none.
func (c *Conversion) GetQuantity() int { return valueOf(c.Quantity) }

// GetQuantity returns Quantity, or zero if there is none.
func (e *Entitlement) GetQuantity() int { return valueOf(e.Quantity) }

// GetQuantity returns Quantity, or zero if there is none.
func (q *QuantityDetail) GetQuantity() int { return valueOf(q.Quantity) }

// GetID returns ID, or zero if there is none.
func (p *PromotionEligibilities) GetID() int { return valueOf(p.ID) }

// GetQuantity returns Quantity, or zero if there is none.
func (p *PromotionEligibilities) GetQuantity() int { return valueOf(p.Quantity) }

// GetMinimumRequiredSeats returns MinimumRequiredSeats, or zero if there is none.
func (p *PromotionError) GetMinimumRequiredSeats() int { return valueOf(p.MinimumRequiredSeats) }

// GetMaximumRequiredSeats returns MaximumRequiredSeats, or zero if there is none.
func (p *PromotionError) GetMaximumRequiredSeats() int { return valueOf(p.MaximumRequiredSeats) }

// GetAvailableSeats returns AvailableSeats, or zero if there is none.
func (p *PromotionError) GetAvailableSeats() int { return valueOf(p.AvailableSeats) }

// GetStatusCode returns StatusCode, or zero if there is none.
func (b *ErrorBody) GetStatusCode() int { return valueOf(b.StatusCode) }

// valueOf returns *p, or the zero value if p is nil.
func valueOf(p *int) int {
	if p == nil {
		return 0
	}
	return *p
}
