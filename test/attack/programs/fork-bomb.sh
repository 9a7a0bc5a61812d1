# 400 processes that wait: bounded, so that nothing happens to the machine where it succeeds.
echo TRIED
i=0
while [ $i -lt 400 ]; do
  sleep 3 &
  i=$((i + 1))
done
echo BREACH
