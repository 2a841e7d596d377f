/** An ISO instant with six decimals, the one form that the mobile app's date parser surely reads. */
export const microsecondTime = (iso: string): string => {
  const [seconds = '', decimals = ''] = iso.replace(/Z$/, '').split('.');
  return `${seconds}.${decimals.padEnd(6, '0').slice(0, 6)}Z`;
};
