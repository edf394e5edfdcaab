# Runs a program, and ends it when standard input ends, as it does when the process that
# writes there is gone, however it went. Then it removes the folder. A line that comes
# before names another signal, after which the folder is kept.
#
# Descriptor 3 locks the folder and is not for the program. Standard output gets the
# program's number, and ends when the program and its children have ended.
signal=$1
folder=$2
log=$3
shift 3
"$@" 3<&- 4>&1 >>"$log" 2>&1 </dev/null &
echo $!
exec >/dev/null
if read -r other; then
	kill -s "$other" $!
	wait $!
	exit 0
fi
kill -s "$signal" $!
wait $!
rm -rf "$folder"
exit 0
