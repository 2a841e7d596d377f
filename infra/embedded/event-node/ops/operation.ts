/** An operation that cannot be done as asked; the message tells the operator why. */
export class OperationFailed extends Error {}
