//go:build !linux

package serve

func growInHugePages(int64) {}
