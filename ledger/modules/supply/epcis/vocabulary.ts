/** The words of the Core Business Vocabulary 2.0 and of the GS1 Web Vocabulary that events use, and what they stand for. */

export interface Vocabulary {
  /** What a bare word is appended to. */
  readonly base: string;
  readonly words: ReadonlySet<string>;
  /** The older URN spelling of the same words; null: none. */
  readonly urn: string | null;
}

const CBV = 'https://ref.gs1.org/cbv/';
const GS1 = 'https://gs1.org/voc/';

const vocabulary = (base: string, urn: string | null, words: string): Vocabulary => ({
  base,
  urn,
  words: new Set(words.trim().split(/\s+/)),
});

export const BIZ_STEP = vocabulary(
  `${CBV}BizStep-`,
  'urn:epcglobal:cbv:bizstep:',
  `accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting decommissioning
   departing destroying disassembling dispensing encoding entering_exiting holding inspecting installing killing loading other
   packing picking receiving removing repackaging repairing replacing reserving retail_selling sampling sensor_reporting
   shipping staging_outbound stock_taking stocking storing transporting unloading unpacking void_shipping`,
);

export const DISPOSITION = vocabulary(
  `${CBV}Disp-`,
  'urn:epcglobal:cbv:disp:',
  `active available completeness_inferred completeness_verified conformant container_closed container_open damaged destroyed
   dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance mismatch_quantity
   needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed recalled reserved retail_sold
   returned sellable_accessible sellable_not_accessible stolen unavailable unknown`,
);

export const BUSINESS_TRANSACTION = vocabulary(
  `${CBV}BTT-`,
  'urn:epcglobal:cbv:btt:',
  'bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt',
);

export const SOURCE_DESTINATION = vocabulary(
  `${CBV}SDT-`,
  'urn:epcglobal:cbv:sdt:',
  'location owning_party possessing_party',
);

export const ERROR_REASON = vocabulary(`${CBV}ER-`, 'urn:epcglobal:cbv:er:', 'did_not_occur incorrect_data');

export const COMPONENT = vocabulary(
  `${CBV}Comp-`,
  null,
  `altitude axial_distance azimuth easting elevation_angle height latitude longitude northing polar_angle spherical_radius
   x y z`,
);

export const SENSOR_ALERT = vocabulary(GS1, null, 'ALARM_CONDITION ERROR_CONDITION');

export const MEASUREMENT = vocabulary(
  GS1,
  null,
  `AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance AmountOfSubstancePerUnitVolume Angle
   AngularAcceleration AngularMomentum AngularVelocity Area Capacitance Conductance Conductivity Count Density Dimensionless
   DoseEquivalent DoseEquivalentRate DynamicViscosity ElectricCharge ElectricCurrent ElectricCurrentDensity
   ElectricFieldStrength Energy Exposure Force Frequency Illuminance Inductance Irradiance KinematicViscosity Length
   LinearMomentum Luminance LuminousFlux LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass
   MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power
   Pressure RadiantFlux RadiantIntensity Radioactivity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed
   SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux
   Wavenumber`,
);

/** Spellings of one vocabulary that differ in the address alone. */
const MOVED: readonly (readonly [from: RegExp, to: string])[] = [
  [/^https?:\/\/(?:ns|ref)\.gs1\.org\/cbv\//, CBV],
  [/^https?:\/\/(?:www\.)?gs1\.org\/voc\//, GS1],
];

/** The URI that a word or URI of this vocabulary stands for; null for a bare word that it does not have. */
export function wordUri(vocabulary: Vocabulary, text: string): string | null {
  if (!text.includes(':')) return vocabulary.words.has(text) ? vocabulary.base + text : null;
  if (vocabulary.urn !== null && text.startsWith(vocabulary.urn)) {
    return vocabulary.base + text.slice(vocabulary.urn.length);
  }
  for (const [from, to] of MOVED) if (from.test(text)) return text.replace(from, to);
  return text;
}

export const shipping = `${BIZ_STEP.base}shipping`;
export const receiving = `${BIZ_STEP.base}receiving`;
export const accepting = `${BIZ_STEP.base}accepting`;
export const voidShipping = `${BIZ_STEP.base}void_shipping`;
export const possessingParty = `${SOURCE_DESTINATION.base}possessing_party`;
export const location = `${SOURCE_DESTINATION.base}location`;
