/**
 * The fields of EPCIS 2.0 events in the order in which the event hash takes them, and the form of each: one table for both, so
 * that nothing is hashed whose form was not checked.
 */
import {
  BIZ_STEP,
  BUSINESS_TRANSACTION,
  COMPONENT,
  DISPOSITION,
  ERROR_REASON,
  MEASUREMENT,
  SENSOR_ALERT,
  SOURCE_DESTINATION,
  type Vocabulary,
} from './vocabulary.ts';

export type Scalar = 'time' | 'uri' | 'decimal' | 'boolean' | RegExp | Vocabulary;

export interface Group {
  readonly fields: readonly Field[];
  readonly names: ReadonlySet<string>;
  readonly required: readonly string[];
  /** Whether it may have fields of other namespaces. */
  readonly extensible: boolean;
}

export interface Field {
  readonly name: string;
  readonly shape:
    | { readonly type: 'scalar'; readonly of: Scalar }
    /** One value or a list: `name=value` for each, sorted. */
    | { readonly type: 'repeated'; readonly of: Scalar }
    /** A list: `name`, then `item=value` for each, sorted. */
    | { readonly type: 'list'; readonly item: string; readonly of: Scalar }
    /** `name`, then the group's fields. */
    | { readonly type: 'group'; readonly of: Group }
    /** A list of groups: `name` where `headed`, then `item` and its fields for each, sorted. */
    | { readonly type: 'groups'; readonly headed: boolean; readonly item: string; readonly of: Group }
    /** `name`, then fields of other namespaces alone. */
    | { readonly type: 'extensions' };
}

const scalar = (name: string, of: Scalar): Field => ({ name, shape: { type: 'scalar', of } });
const repeated = (name: string, of: Scalar): Field => ({ name, shape: { type: 'repeated', of } });
const epcs = (name: string): Field => ({ name, shape: { type: 'list', item: 'epc', of: 'uri' } });
const group = (name: string, of: Group): Field => ({ name, shape: { type: 'group', of } });
const groups = (name: string, item: string, of: Group): Field => ({
  name,
  shape: { type: 'groups', headed: true, item, of },
});
const of = (fields: readonly Field[], required: readonly string[] = [], extensible = false): Group => ({
  fields,
  names: new Set(fields.map(field => field.name)),
  required,
  extensible,
});

const TEXT = /^.{0,4096}$/su;
const UNIT = /^[A-Z0-9]{2,3}$/;

const quantities = (name: string): Field =>
  groups(
    name,
    'quantityElement',
    of([scalar('epcClass', 'uri'), scalar('quantity', 'decimal'), scalar('uom', UNIT)], ['epcClass']),
  );

/** A list whose members have a type and a value: the type stands first, and there is no word for the member itself. */
const typed = (name: string, value: string, types: Vocabulary, required: readonly string[]): Field =>
  groups(name, '', of([scalar('type', types), scalar(value, 'uri')], required));

const place = (name: string): Field => group(name, of([scalar('id', 'uri')], ['id'], true));

const DEVICE = ['deviceID', 'deviceMetadata', 'rawData', 'dataProcessingMethod'].map(name => scalar(name, 'uri'));

const SENSOR_METADATA = of(
  [
    scalar('time', 'time'),
    scalar('startTime', 'time'),
    scalar('endTime', 'time'),
    ...DEVICE,
    scalar('bizRules', 'uri'),
  ],
  [],
  true,
);

const SENSOR_REPORT = of(
  [
    scalar('type', MEASUREMENT),
    scalar('exception', SENSOR_ALERT),
    ...DEVICE,
    scalar('bizRules', 'uri'),
    scalar('time', 'time'),
    scalar('microorganism', 'uri'),
    scalar('chemicalSubstance', 'uri'),
    scalar('value', 'decimal'),
    scalar('component', COMPONENT),
    scalar('stringValue', TEXT),
    scalar('booleanValue', 'boolean'),
    scalar('hexBinaryValue', /^[0-9A-Fa-f]+$/),
    scalar('uriValue', 'uri'),
    ...['minValue', 'maxValue', 'meanValue', 'sDev', 'percRank', 'percValue'].map(name => scalar(name, 'decimal')),
    scalar('uom', TEXT),
    scalar('coordinateReferenceSystem', 'uri'),
  ],
  ['type'],
  true,
);

const SENSOR_ELEMENT = of(
  [
    group('sensorMetadata', SENSOR_METADATA),
    { name: 'sensorReport', shape: { type: 'groups', headed: false, item: 'sensorReport', of: SENSOR_REPORT } },
  ],
  ['sensorReport'],
  true,
);

export const ERROR_DECLARATION = of(
  [
    scalar('declarationTime', 'time'),
    scalar('reason', ERROR_REASON),
    repeated('correctiveEventIDs', /^[\x21-\x7e]{1,256}$/),
  ],
  ['declarationTime'],
  true,
);

/** Destinations stand before sources, as in the published hashes. */
const FIELDS: readonly Field[] = [
  scalar('eventTime', 'time'),
  scalar('eventTimeZoneOffset', /^[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)$/),
  repeated('certificationInfo', 'uri'),
  epcs('epcList'),
  scalar('parentID', 'uri'),
  epcs('inputEPCList'),
  epcs('childEPCs'),
  quantities('quantityList'),
  quantities('childQuantityList'),
  quantities('inputQuantityList'),
  epcs('outputEPCList'),
  quantities('outputQuantityList'),
  scalar('action', /^(?:ADD|OBSERVE|DELETE)$/),
  scalar('transformationID', 'uri'),
  scalar('bizStep', BIZ_STEP),
  scalar('disposition', DISPOSITION),
  group('persistentDisposition', of([repeated('set', DISPOSITION), repeated('unset', DISPOSITION)])),
  place('readPoint'),
  place('bizLocation'),
  typed('bizTransactionList', 'bizTransaction', BUSINESS_TRANSACTION, ['bizTransaction']),
  typed('destinationList', 'destination', SOURCE_DESTINATION, ['type', 'destination']),
  typed('sourceList', 'source', SOURCE_DESTINATION, ['type', 'source']),
  groups('sensorElementList', 'sensorElement', SENSOR_ELEMENT),
  { name: 'ilmd', shape: { type: 'extensions' } },
];

export const EVENT_TYPES = [
  'ObjectEvent',
  'AggregationEvent',
  'AssociationEvent',
  'TransactionEvent',
  'TransformationEvent',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];
export const isEventType = (text: string): text is EventType => (EVENT_TYPES as readonly string[]).includes(text);

const COMMON = `eventTime eventTimeZoneOffset certificationInfo bizStep disposition readPoint bizLocation bizTransactionList
  sourceList destinationList sensorElementList`;

const eventGroup = (own: string, required: string): Group => {
  const names = new Set(`${COMMON} ${own} ${required}`.split(/\s+/));
  return of(
    FIELDS.filter(field => names.has(field.name)),
    `eventTime eventTimeZoneOffset ${required}`.trim().split(' '),
    true,
  );
};

/** What each type of event may and must have, beside the fields that no hash takes. */
export const EVENT_GROUPS: Readonly<Record<EventType, Group>> = {
  ObjectEvent: eventGroup('epcList quantityList persistentDisposition ilmd', 'action'),
  AggregationEvent: eventGroup('parentID childEPCs childQuantityList', 'action'),
  AssociationEvent: eventGroup('childEPCs childQuantityList', 'action parentID'),
  TransactionEvent: eventGroup('parentID epcList quantityList', 'action bizTransactionList'),
  TransformationEvent: eventGroup(
    'inputEPCList inputQuantityList outputEPCList outputQuantityList transformationID persistentDisposition ilmd',
    '',
  ),
};

/** Fields of an event that are not part of its hash. */
export const UNHASHED: ReadonlySet<string> = new Set(['@context', 'type', 'eventID', 'recordTime', 'errorDeclaration']);
