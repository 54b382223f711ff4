/** Brings questions to OCSP responders. */
export interface OcspResponders {
  /**
   * @param url of the responder
   * @param request DER
   * @param timeout milliseconds for everything
   * @returns the answer, DER
   * @throws when there is none
   */
  post(url: string, request: Buffer, timeout: number): Promise<Buffer>
}
