# What runs beside `web`: here a clock, in a real application what works through a queue.
while :; do
    date -u "+%H:%M:%S UTC" >"$OPENSHIFT_TMP_DIR/clock"
    sleep 10
done
