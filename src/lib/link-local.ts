import { BlockList, isIP, type LookupFunction } from 'node:net';

/**
 * Addresses that mean something on the own machine or network only, the ones among them where clouds keep the credentials of the machine:
 * 169.254.169.254 (nearly all), 100.100.100.200 (Alibaba), 168.63.129.16 (Azure), 192.0.0.192 (Oracle), fd00:ec2::254 (AWS),
 * fd20:ce::254 (Google); also as IPv4 within IPv6 (RFC 4291, RFC 6052).
 */
const REFUSED = new BlockList();
REFUSED.addSubnet('169.254.0.0', 16, 'ipv4');
REFUSED.addAddress('100.100.100.200', 'ipv4');
REFUSED.addAddress('168.63.129.16', 'ipv4');
REFUSED.addAddress('192.0.0.192', 'ipv4');
REFUSED.addSubnet('fe80::', 10, 'ipv6');
REFUSED.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
REFUSED.addAddress('fd00:ec2::254', 'ipv6');
REFUSED.addAddress('fd20:ce::254', 'ipv6');

/** The host is at an address that must not be asked. */
export class LinkLocalError extends Error {
  constructor(host: string) {
    super(`${host} is at a link-local address or that of a cloud's metadata`);
    this.name = 'LinkLocalError';
  }
}

/** @param host of a URL: a name, or an address with or without brackets. Names are no addresses. */
export function isLinkLocal(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '').split('%')[0] ?? '';
  const version = isIP(address);
  return version !== 0 && REFUSED.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Looks a name up for a connection, and refuses it when one of its addresses is link-local. Who answers for the name may answer something
 * else a moment later, so it is the answer that is connected to that is looked at. An address is not looked up: see `isLinkLocal`.
 */
export function refuseLinkLocal(lookup: LookupFunction): LookupFunction {
  return (host, options, callback) =>
    lookup(host, options, (error, found, family) => {
      const addresses = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address);
      if (error === null && addresses.some(isLinkLocal)) callback(new LinkLocalError(host), '', 4);
      else callback(error, found, family);
    });
}
