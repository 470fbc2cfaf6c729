/** The ids of the members' tests: acme makes under 4012345, beta trades under 4000001, and 0614141 is nobody's. */
export const PREFIXES = { acme: ['4012345'], beta: ['4000001'], gamma: ['9521321'] } as const;

export const SERIAL = (serial: number | string): string => `urn:epc:id:sgtin:4012345.011111.${serial}`;
export const BETAS = (serial: number | string): string => `urn:epc:id:sgtin:4000001.011111.${serial}`;
export const FOREIGN = (serial: number | string): string => `urn:epc:id:sgtin:0614141.107346.${serial}`;
export const PALLET = (serial: number): string => `urn:epc:id:sscc:4012345.${serial.toString().padStart(10, '0')}`;
export const LOT = (lot: string): string => `urn:epc:class:lgtin:4012345.022222.${lot}`;
export const FOREIGN_LOT = (lot: string): string => `urn:epc:class:lgtin:0614141.077777.${lot}`;
export const ACME = 'urn:epc:id:pgln:4012345.00005';
export const BETA = 'urn:epc:id:pgln:4000001.00005';
export const GAMMA = 'urn:epc:id:pgln:9521321.00005';
export const OUTSIDER = 'urn:epc:id:pgln:0614141.00005';
export const DOCK = 'urn:epc:id:sgln:4012345.00025.0';

export const to = (party: string) => ({ destinationList: [{ type: 'possessing_party', destination: party }] });
export const from = (party: string) => ({ sourceList: [{ type: 'possessing_party', source: party }] });
export const amount = (epcClass: string, quantity?: number, uom?: string) => ({
  epcClass,
  ...(quantity === undefined ? {} : { quantity }),
  ...(uom === undefined ? {} : { uom }),
});
