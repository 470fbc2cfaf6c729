/** What the command line runs. */
export { engineNames, runCampaign } from './campaign.ts';
export { shrink } from './shrink.ts';
