package lifecycle

import (
	"net/http"

	"github.com/partnercenter-go/partnercenter"
)

// Command moves something from one state to another.
type Command string

// The commands. Provision and Lapse are the passage of time.
const (
	Place       Command = "place"
	Provision   Command = "provision"
	AddOn       Command = "buy an add-on in"
	ChangeCycle Command = "change the billing cycle of"
	CancelSome  Command = "cancel lines of"
	CancelAll   Command = "cancel"
	Attach      Command = "attach a purchase order to"
	Suspend     Command = "suspend"
	Reactivate  Command = "reactivate"
	Change      Command = "change"
	Delete      Command = "delete" // a subscription
	Download    Command = "download"
	Transit     Command = "transition"        // a subscription in new commerce
	Upgrade     Command = "upgrade"           // a subscription to a legacy offer
	Convert     Command = "convert"           // a trial of a legacy offer
	Lapse       Command = "let time pass for" // a subscription whose term is over
)

// The machines of [Transitions].
const (
	OrderMachine        = "order"
	LineMachine         = "line item"
	SubscriptionMachine = "subscription"
	AttachmentMachine   = "attachment"
)

// Transition is an arrow of a state machine or, with a Code, one that the rules refuse.
type Transition struct {
	Machine string
	From    string // empty: it does not exist yet
	Command Command
	To      string
	Event   EventKind // of a success

	Status int // with Code: of the refusal
	Code   partnercenter.ErrorCode
	Next   string // with Code: what to do instead
}

// EventKind says what happened.
type EventKind string

// Event is something that happened to an order or a subscription.
type Event struct {
	Kind EventKind
	// SubscriptionID is the subscription, empty for the order as a whole.
	SubscriptionID string
	LineItemNumber int
	// OrderID is the order, where a command is about several.
	OrderID string
}

// The states of lines and attachments. Those of orders and subscriptions are the API's.
const (
	linePending   = string(partnercenter.FulfillmentStatusPrefulfillmentPending)
	lineWaiting   = string(partnercenter.FulfillmentStatusUnfulfilled)
	lineFulfilled = string(partnercenter.FulfillmentStatusFulfilled)
	lineCancelled = "Cancelled"
	attached      = "attached"
)

const (
	completed   = string(partnercenter.OrderStatusCompleted)
	pending     = string(partnercenter.OrderStatusPending)
	cancelled   = string(partnercenter.OrderStatusCancelled)
	awaitingPO  = string(partnercenter.OrderStatusPendingPOUpload)
	completedPO = string(partnercenter.OrderStatusPOUploadComplete)

	active    = string(partnercenter.SubscriptionStatusActive)
	suspended = string(partnercenter.SubscriptionStatusSuspended)
	expired   = string(partnercenter.SubscriptionStatusExpired)
	disabled  = string(partnercenter.SubscriptionStatusDisabled)
	deleted   = string(partnercenter.SubscriptionStatusDeleted)
)

const (
	nextWaitProvisioned = "Wait until GET .../provisioningstatus returns fulfilled, then try again"
	nextOrderAgain      = "Order the offer again for a new subscription"
	nextOrderCancelled  = "A cancelled order cannot be changed; place a new one"
)

// transitions are all arrows of all machines. A state and a command without a row have
// no meaning together.
var transitions = []Transition{
	{Machine: OrderMachine, Command: Place, To: completed, Event: "order placed"},  // legacy offers
	{Machine: OrderMachine, Command: Place, To: pending, Event: "order placed"},    // catalog items
	{Machine: OrderMachine, Command: Place, To: awaitingPO, Event: "order placed"}, // items that need a purchase order
	{Machine: OrderMachine, From: pending, Command: Provision, To: completed, Event: "order provisioned"},
	{Machine: OrderMachine, From: awaitingPO, Command: Attach, To: completedPO, Event: "purchase order attached"},
	{Machine: OrderMachine, From: completedPO, Command: Attach, To: completedPO, Event: "purchase order attached"},
	{Machine: OrderMachine, From: completed, Command: AddOn, To: completed, Event: "add-on bought"}, // legacy offers
	{Machine: OrderMachine, From: completed, Command: AddOn, To: pending, Event: "add-on bought"},   // catalog items
	{Machine: OrderMachine, From: completed, Command: ChangeCycle, To: completed, Event: "billing cycle changed"},
	{Machine: OrderMachine, From: completed, Command: CancelSome, To: completed, Event: "lines cancelled"},
	{Machine: OrderMachine, From: completed, Command: CancelAll, To: cancelled, Event: "order cancelled"},
	{Machine: OrderMachine, From: awaitingPO, Command: CancelSome, To: awaitingPO, Event: "lines cancelled"},
	{Machine: OrderMachine, From: awaitingPO, Command: CancelAll, To: cancelled, Event: "order cancelled"},
	{Machine: OrderMachine, From: completedPO, Command: CancelSome, To: completedPO, Event: "lines cancelled"},
	{Machine: OrderMachine, From: completedPO, Command: CancelAll, To: cancelled, Event: "order cancelled"},
	// Deleting a subscription cancels its line, and the last line cancels the order.
	{Machine: OrderMachine, From: completed, Command: Delete, To: completed, Event: "lines cancelled"},
	{Machine: OrderMachine, From: completed, Command: Delete, To: cancelled, Event: "order cancelled"},
	{Machine: OrderMachine, From: pending, Command: Delete, To: pending, Event: "lines cancelled"},
	{Machine: OrderMachine, From: completedPO, Command: Delete, To: completedPO, Event: "lines cancelled"},
	{Machine: OrderMachine, From: completedPO, Command: Delete, To: cancelled, Event: "order cancelled"},

	{Machine: OrderMachine, From: pending, Command: AddOn, Status: http.StatusConflict, Code: partnercenter.ErrorCodePendingAdjustment, Next: nextWaitProvisioned},
	{Machine: OrderMachine, From: pending, Command: CancelSome, Status: http.StatusConflict, Code: partnercenter.ErrorCodePendingAdjustment, Next: nextWaitProvisioned},
	{Machine: OrderMachine, From: pending, Command: CancelAll, Status: http.StatusConflict, Code: partnercenter.ErrorCodePendingAdjustment, Next: nextWaitProvisioned},
	{Machine: OrderMachine, From: pending, Command: ChangeCycle, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeSyncStateNotCompleted, Next: nextWaitProvisioned},
	{Machine: OrderMachine, From: awaitingPO, Command: AddOn, Status: http.StatusConflict, Code: partnercenter.ErrorCodePendingAdjustment, Next: "Attach the purchase order first"},
	{Machine: OrderMachine, From: awaitingPO, Command: ChangeCycle, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeSyncStateNotCompleted, Next: "Attach the purchase order first"},
	{Machine: OrderMachine, From: completedPO, Command: AddOn, Status: http.StatusConflict, Code: partnercenter.ErrorCodePendingAdjustment, Next: "Buy the add-on in an order of its own"},
	{Machine: OrderMachine, From: completedPO, Command: ChangeCycle, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeSyncStateNotCompleted, Next: "Keep the billing cycle that the purchase order is for"},
	{Machine: OrderMachine, From: cancelled, Command: CancelSome, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeOrderNotCancellable, Next: nextOrderCancelled},
	{Machine: OrderMachine, From: cancelled, Command: CancelAll, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeOrderNotCancellable, Next: nextOrderCancelled},
	{Machine: OrderMachine, From: cancelled, Command: AddOn, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeOrderUnprocessable, Next: nextOrderCancelled},
	{Machine: OrderMachine, From: cancelled, Command: ChangeCycle, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeCycleInactive, Next: nextOrderCancelled},
	{Machine: OrderMachine, From: cancelled, Command: Change, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeOrderUnprocessable, Next: nextOrderCancelled},
	{Machine: OrderMachine, From: completed, Command: Attach, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeOperationUnoffered, Next: "Attach files only to orders with status pending_po_upload or po_upload_complete"},
	{Machine: OrderMachine, From: pending, Command: Attach, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeOperationUnoffered, Next: "Attach files only to orders with status pending_po_upload or po_upload_complete"},
	{Machine: OrderMachine, From: cancelled, Command: Attach, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeOperationUnoffered, Next: nextOrderCancelled},

	{Machine: LineMachine, Command: Place, To: lineFulfilled}, // legacy offers
	{Machine: LineMachine, Command: Place, To: linePending},
	{Machine: LineMachine, Command: Place, To: lineWaiting}, // waits for a purchase order
	{Machine: LineMachine, From: linePending, Command: Provision, To: lineFulfilled},
	{Machine: LineMachine, From: lineWaiting, Command: Attach, To: linePending},
	{Machine: LineMachine, From: lineWaiting, Command: CancelSome, To: lineCancelled},
	{Machine: LineMachine, From: linePending, Command: CancelSome, To: lineCancelled},
	{Machine: LineMachine, From: lineFulfilled, Command: CancelSome, To: lineCancelled},
	{Machine: LineMachine, From: lineFulfilled, Command: Delete, To: lineCancelled}, // its subscription is deleted

	{Machine: SubscriptionMachine, Command: Provision, To: active},
	{Machine: SubscriptionMachine, Command: CancelSome, To: deleted, Event: "subscription cancelled"}, // before it existed
	{Machine: SubscriptionMachine, From: active, Command: Change, To: active, Event: "subscription changed"},
	{Machine: SubscriptionMachine, From: suspended, Command: Change, To: suspended, Event: "subscription changed"},
	{Machine: SubscriptionMachine, From: active, Command: Suspend, To: suspended, Event: "subscription suspended"},
	{Machine: SubscriptionMachine, From: suspended, Command: Reactivate, To: active, Event: "subscription reactivated"},
	{Machine: SubscriptionMachine, From: active, Command: Delete, To: deleted, Event: "subscription cancelled"},
	{Machine: SubscriptionMachine, From: suspended, Command: Delete, To: deleted, Event: "subscription cancelled"},
	{Machine: SubscriptionMachine, From: active, Command: CancelSome, To: deleted, Event: "subscription cancelled"}, // its line is cancelled
	{Machine: SubscriptionMachine, From: suspended, Command: CancelSome, To: deleted, Event: "subscription cancelled"},
	// What time does is in the table of endings.
	{Machine: SubscriptionMachine, From: active, Command: Lapse, To: expired},
	{Machine: SubscriptionMachine, From: active, Command: Lapse, To: suspended}, // legacy offers
	{Machine: SubscriptionMachine, From: active, Command: Lapse, To: disabled},
	{Machine: SubscriptionMachine, From: active, Command: Lapse, To: deleted}, // add-ons, with their base
	{Machine: SubscriptionMachine, From: expired, Command: Lapse, To: disabled},
	{Machine: SubscriptionMachine, From: suspended, Command: Lapse, To: disabled},
	{Machine: SubscriptionMachine, From: suspended, Command: Lapse, To: deleted}, // legacy offers
	{Machine: SubscriptionMachine, From: disabled, Command: Lapse, To: deleted},
	{Machine: SubscriptionMachine, From: expired, Command: Reactivate, To: active, Event: "subscription reactivated"},
	{Machine: SubscriptionMachine, From: expired, Command: Delete, To: deleted, Event: "subscription cancelled"},
	{Machine: SubscriptionMachine, From: disabled, Command: Delete, To: deleted, Event: "subscription cancelled"},
	{Machine: SubscriptionMachine, From: expired, Command: CancelSome, To: deleted, Event: "subscription cancelled"},
	{Machine: SubscriptionMachine, From: disabled, Command: CancelSome, To: deleted, Event: "subscription cancelled"},
	{Machine: SubscriptionMachine, From: expired, Command: Change, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeNoUpdatesNow, Next: "Reactivate it first: set the status to active"},
	{Machine: SubscriptionMachine, From: expired, Command: Suspend, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeNoUpdatesNow, Next: "Reactivate it, or leave it to end"},
	{Machine: SubscriptionMachine, From: disabled, Command: Change, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeNoMoreUpdates, Next: nextOrderAgain},
	{Machine: SubscriptionMachine, From: disabled, Command: Suspend, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeNoMoreUpdates, Next: nextOrderAgain},
	{Machine: SubscriptionMachine, From: disabled, Command: Reactivate, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeNoMoreUpdates, Next: nextOrderAgain},
	{Machine: SubscriptionMachine, From: deleted, Command: Change, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeSubscriptionDeleted, Next: nextOrderAgain},
	{Machine: SubscriptionMachine, From: deleted, Command: Suspend, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeSubscriptionDeleted, Next: nextOrderAgain},
	{Machine: SubscriptionMachine, From: deleted, Command: Reactivate, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeSubscriptionDeleted, Next: nextOrderAgain},
	{Machine: SubscriptionMachine, From: deleted, Command: Delete, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeSubscriptionDeleted, Next: "There is nothing left to cancel"},
	// Seats that move to another item leave their subscription, the last of them end it.
	{Machine: SubscriptionMachine, From: active, Command: Transit, To: active, Event: "subscription transitioned"},
	{Machine: SubscriptionMachine, From: active, Command: Transit, To: deleted, Event: "subscription transitioned"},
	{Machine: SubscriptionMachine, From: active, Command: Upgrade, To: deleted, Event: "subscription upgraded"},
	{Machine: SubscriptionMachine, From: active, Command: Convert, To: active, Event: "trial converted"},
	{Machine: SubscriptionMachine, From: suspended, Command: Transit, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeSuspendedNoUpdate, Next: "Reactivate it first"},
	{Machine: SubscriptionMachine, From: suspended, Command: Upgrade, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeSubscriptionSuspended, Next: "Reactivate it first"},
	{Machine: SubscriptionMachine, From: suspended, Command: Convert, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeSubscriptionSuspended, Next: "Reactivate it first"},
	{Machine: SubscriptionMachine, From: expired, Command: Transit, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeNoUpdatesNow, Next: "Reactivate it first: set the status to active"},
	{Machine: SubscriptionMachine, From: expired, Command: Upgrade, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeNoUpdatesNow, Next: "Reactivate it first: set the status to active"},
	{Machine: SubscriptionMachine, From: expired, Command: Convert, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeNoUpdatesNow, Next: "Reactivate it first: set the status to active"},
	{Machine: SubscriptionMachine, From: disabled, Command: Transit, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeNoMoreUpdates, Next: nextOrderAgain},
	{Machine: SubscriptionMachine, From: disabled, Command: Upgrade, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeNoMoreUpdates, Next: nextOrderAgain},
	{Machine: SubscriptionMachine, From: disabled, Command: Convert, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeNoMoreUpdates, Next: nextOrderAgain},
	{Machine: SubscriptionMachine, From: deleted, Command: Transit, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeSubscriptionDeleted, Next: "Order the item instead"},
	{Machine: SubscriptionMachine, From: deleted, Command: Upgrade, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeSubscriptionDeleted, Next: "Order the offer instead"},
	{Machine: SubscriptionMachine, From: deleted, Command: Convert, Status: http.StatusBadRequest, Code: partnercenter.ErrorCodeSubscriptionDeleted, Next: "Order the offer instead"},

	{Machine: AttachmentMachine, Command: Attach, To: attached, Event: "purchase order attached"},
	{Machine: AttachmentMachine, From: attached, Command: Download, To: attached},
}

// Transitions returns the arrows of all state machines.
func Transitions() []Transition { return append([]Transition(nil), transitions...) }

// move returns where a command leads from a state. The error is the table's refusal; a
// pair without a row is an unprocessable request.
func move(machine, from string, command Command) (Transition, error) {
	for _, t := range transitions {
		if t.Machine != machine || t.From != from || t.Command != command {
			continue
		}
		if t.Code != "" {
			return t, refuse(t.Status, t.Code, t.Next, "The %s is %s, so it is not possible to %s it", machine, from, command)
		}
		return t, nil
	}
	return Transition{}, refuse(http.StatusBadRequest, partnercenter.ErrorCodeOrderUnprocessable, "Get it again for its status",
		"It is not possible to %s the %s while it is %s", command, machine, from)
}
