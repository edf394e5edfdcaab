package server

// Documented returns method and path of the documented calls that are not in the table
// of operations.
func Documented() (calls [][2]string) {
	for _, call := range documented {
		calls = append(calls, [2]string{call.method, call.path})
	}
	return calls
}
