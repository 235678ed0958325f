/** The live view: a sink that speaks the protocol of the Stately inspector. */
export { type Inspector, startInspector } from './inspector.js'
export type {
  InspectError,
  InspectLimit,
  InspectOptions,
  InvalidOption,
  ListenFailed,
} from './option.js'
