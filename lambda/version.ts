/** Lockstep's version, recorded with every migration that it applies. The same as in package.json. */
export const VERSION = '0.1.0'
