# Becomes root of namespaces of its own, in which the kernel offers much more to attack.
echo TRIED
unshare --user --map-root-user --mount sh -c 'mount -t tmpfs none /mnt && echo BREACH'
