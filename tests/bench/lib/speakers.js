/** The contestants that understand a protocol; one that says nothing of it speaks bichat. */
export const speakers = (contestants, protocol) =>
  contestants.filter(({ protocols = ['bichat'] }) => protocols.includes(protocol));
