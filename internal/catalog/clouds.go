package catalog

import (
	"slices"

	"github.com/partnercenter-go/partnercenter"
)

// Merchandise is a kind of product that not every cloud sells.
//
// https://learn.microsoft.com/partner-center/developer/scenarios-for-specialty-clouds
type Merchandise string

// The merchandise that not every cloud sells.
const (
	AzureReservations  Merchandise = "Azure reservations" // and savings plans, which have a scope, too
	AzureSubscriptions Merchandise = "Azure subscriptions"
	OneTimePurchases   Merchandise = "one-time purchases" // software, except reservations
)

// notSold are the clouds that do not sell a kind of merchandise.
var notSold = map[Merchandise][]partnercenter.CloudName{
	AzureReservations:  {partnercenter.CloudName21Vianet, partnercenter.CloudNameGermany},
	AzureSubscriptions: {partnercenter.CloudName21Vianet},
	OneTimePurchases:   {partnercenter.CloudName21Vianet, partnercenter.CloudNameGermany},
}

// SoldIn reports whether m can be bought in a cloud.
func (m Merchandise) SoldIn(cloud partnercenter.CloudName) bool {
	return !slices.Contains(notSold[m], cloud)
}

// Merchandise returns the merchandise of a kind; it is empty for what every cloud
// sells.
func (k Kind) Merchandise() Merchandise {
	switch k {
	case Usage, AzurePlan:
		return AzureSubscriptions
	case Reservation, SavingsPlan:
		return AzureReservations
	case PerpetualSoftware, SoftwareSubscription:
		return OneTimePurchases
	}
	return ""
}

// MerchandiseOf returns the merchandise of a view; it is empty for views with products
// that every cloud sells.
func MerchandiseOf(view partnercenter.TargetView) Merchandise {
	switch view.Normalize() {
	case partnercenter.TargetViewAzureReservations, partnercenter.TargetViewAzureReservationsVM,
		partnercenter.TargetViewAzureReservationsSQL, partnercenter.TargetViewAzureReservationsCosmosDB:
		return AzureReservations
	case partnercenter.TargetViewAzure, partnercenter.TargetViewMicrosoftAzure:
		return AzureSubscriptions
	case partnercenter.TargetViewSoftware, partnercenter.TargetViewSoftwareSUSELinux,
		partnercenter.TargetViewSoftwarePerpetual, partnercenter.TargetViewSoftwareSubscriptions:
		return OneTimePurchases
	}
	return ""
}
