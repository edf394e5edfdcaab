package catalog

import (
	"slices"

	"github.com/partnercenter-go/partnercenter"
)

// Merchandise is a kind of thing to buy that not every cloud sells.
//
// https://learn.microsoft.com/partner-center/developer/scenarios-for-specialty-clouds
type Merchandise string

// What not every cloud sells.
const (
	AzureReservations  Merchandise = "Azure reservations"
	AzureSubscriptions Merchandise = "Azure subscriptions"
	OneTimePurchases   Merchandise = "one-time purchases" // software, besides reservations
)

// notSold are the clouds that do not sell something.
var notSold = map[Merchandise][]partnercenter.CloudName{
	AzureReservations:  {partnercenter.CloudName21Vianet, partnercenter.CloudNameGermany},
	AzureSubscriptions: {partnercenter.CloudName21Vianet},
	OneTimePurchases:   {partnercenter.CloudName21Vianet, partnercenter.CloudNameGermany},
}

// SoldIn reports whether m can be bought in a cloud.
func (m Merchandise) SoldIn(cloud partnercenter.CloudName) bool {
	return !slices.Contains(notSold[m], cloud)
}

// Merchandise is what items of a kind are; it is empty for what every cloud sells.
func (k Kind) Merchandise() Merchandise {
	switch k {
	case Usage, AzurePlan:
		return AzureSubscriptions
	case Reservation:
		return AzureReservations
	case PerpetualSoftware, SoftwareSubscription:
		return OneTimePurchases
	}
	return ""
}

// MerchandiseOf is what all products of a view are; it is empty for views that have
// products which every cloud sells.
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
