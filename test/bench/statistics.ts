/** Of a series of measurements. */

/** How much y grows for each unit of x, by least squares; 0 where fewer than two points say it. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const x = mean(point => point[0]);
  const y = mean(point => point[1]);
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  if (points.length < 2 || spread === 0) return 0;
  return points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
}
