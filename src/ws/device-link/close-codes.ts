/** Codes with which the link closes a socket. Clients come back after each but `REVOKED`, which they first have to mend. */
export const POLICY_VIOLATION = 1008;
/** This instance goes away; another takes its clients. */
export const RESTARTING = 1012;
/** Too much waits to be read, or the relay is away: what was missed is there again on resuming. */
export const TRY_AGAIN = 1013;
/** The device has connected again, here or on another instance. */
export const SUPERSEDED = 4001;
/** The session has ended, or the device is not the user's any more. */
export const REVOKED = 4003;
