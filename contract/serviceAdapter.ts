/**
 * What the adapter in a service's image (`builder-images/service-adapter`) is told, and by whom. A function URL is open
 * to everybody; the adapter lets requests through that bring the version's secret, which the viewer-request function adds.
 */

/** Of a request from CloudFront: the secret of the version. */
export const SERVICE_SECRET_HEADER = 'x-veren-origin';
/** The same secret, as the function knows it. */
export const SERVICE_SECRET_VARIABLE = 'VEREN_ORIGIN_SECRET';
/**
 * `requestContext.apiId` of an event that did not come by a function URL but by an authorised invocation: a visitor
 * cannot choose it, since Lambda makes the context of a URL's event.
 */
export const CRON_API_ID = 'veren-cron';
