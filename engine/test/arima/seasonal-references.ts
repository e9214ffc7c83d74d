import type { ArimaSpec } from '../../src/index.ts'
import { referenceSeries } from './references.ts'

/**
 * Fits of seasonal and regression models by R 4.2.2 (forecast 8.20, through stats::arima) and
 * statsmodels 0.15.0, and their series, all of them from R's package datasets.
 *
 * Conventions. This engine maximises the exact likelihood of the differenced series, and counts its
 * values. R starts the differenced-away levels from a variance of 10⁶ instead of infinity, and
 * leaves out of the likelihood what it calls diffuse: `vague.ts` does the same, and agrees with R.
 * R's residuals are divided by their own deviation, and its fits are values less such residuals.
 * Its variance of the shocks divides plain squared errors, diffuse ones included; ours divides each
 * by its own variance first: so bounds agree less well than points. Drift in R is a regressor 1, 2,
 * ….
 *
 * Left out, each for a reason: fits by conditional sums of squares (another objective, no
 * likelihood); wineind and woolyrnq (not from R's own datasets); fits of statsforecast
 * (coefficients are printed to six digits); forecasts of statsmodels' `simple_differencing` (they
 * are of the differences); fits with a Box-Cox transform (their forecasts are transformed back).
 */
export type SeasonalReference = {
  readonly name: string
  readonly series: keyof typeof seasonalSeries
  readonly spec: Partial<ArimaSpec>
  readonly ar: readonly number[]
  readonly ma: readonly number[]
  readonly seasonalAr: readonly number[]
  readonly seasonalMa: readonly number[]
  /** The constant and the coefficient of the trend, where there are such. */
  readonly given: readonly number[]
  readonly logLikelihood: number
  /** How the program starts its levels. */
  readonly start: 'vague' | 'exact'
  readonly mean: readonly number[]
  readonly low95?: readonly number[]
  readonly boundsWithin?: number
  /** The last one-step fits. */
  readonly fitted?: readonly number[]
}

export const seasonalReferences: readonly SeasonalReference[] = [
  {
    name: 'R: airline model of log AirPassengers',
    series: 'logAirPassengers',
    spec: { p: 0, d: 1, q: 1, P: 0, D: 1, Q: 1, seasonLength: 12 },
    ar: [],
    ma: [-0.401826782408448],
    seasonalAr: [],
    seasonalMa: [-0.556946638276518],
    given: [],
    logLikelihood: 244.699530596618,
    start: 'vague',
    mean: [
      6.11018571095261, 6.0537752994215, 6.17171502730403, 6.1993004052916, 6.23255591278533,
      6.36877866265882, 6.50729368861371, 6.50290635839223, 6.32469825757185, 6.20900797800803,
      6.06348743861339, 6.16802491310489,
    ],
    low95: [
      6.03760716215881, 5.96920304358606, 6.07665037998877, 6.0947915162857, 6.11938821159228,
      6.24756913619582, 6.37854365941976, 6.36703365793515, 6.18205811090358, 6.05990723302805,
      5.90819464140239, 6.00677766947681,
    ],
    boundsWithin: 1e-3,
    fitted: [6.10388988835466, 5.99330728450265, 6.08339479760576],
  },
  {
    name: 'R: airline model of USAccDeaths',
    series: 'USAccDeaths',
    spec: { p: 0, d: 1, q: 1, P: 0, D: 1, Q: 1, seasonLength: 12 },
    ar: [],
    ma: [-0.430278483358636],
    seasonalAr: [],
    seasonalMa: [-0.552772006869988],
    given: [],
    logLikelihood: -425.439993561082,
    start: 'vague',
    mean: [
      8336.05991120681, 7531.82335011568, 8314.6402841166, 8616.87103301224, 9488.91588390364,
      9859.75654568492, 10907.4776395794, 10086.5122568036, 9164.97163477764, 9384.2657212893,
      8884.98169928584, 9376.5925603646,
    ],
    low95: [
      7706.95384786427, 6807.87500306092, 7506.91014400699, 7733.26775720554, 8535.45821914091,
      8841.22412713144, 9827.78552771032, 8948.94387432034, 7972.3322958356, 8138.9884990217,
      7589.20311970044, 8032.20835389253,
    ],
    boundsWithin: 2e-4,
    fitted: [9325.3805561297, 8630.10453300032, 9029.81430969947],
  },
  {
    name: 'R: ARIMA(2,1,1)(0,1,0)[12] of AirPassengers',
    series: 'AirPassengers',
    spec: { p: 2, d: 1, q: 1, P: 0, D: 1, Q: 0, seasonLength: 12 },
    ar: [0.595980706586721, 0.214274553578295],
    ma: [-0.981877169668577],
    seasonalAr: [],
    seasonalMa: [],
    given: [],
    logLikelihood: -504.923852561182,
    start: 'vague',
    mean: [
      445.634901393398, 420.394996527456, 449.19831632874, 491.839948477052, 503.394479849972,
      566.862455291571, 654.260181588298, 638.597494016484, 540.883748340452, 494.12662786468,
      423.332716392622, 465.507584080752,
    ],
    low95: [
      423.085052944875, 393.930365291373, 419.489210161512, 460.009227110425, 469.995275718606,
      532.300683300448, 618.812227868133, 602.462972302183, 504.208071688305, 457.017675598722,
      385.871476130582, 427.755560134787,
    ],
    boundsWithin: 1e-5,
    fitted: [450.77601455444, 410.895483622712, 439.946825618136],
  },
  {
    name: 'R: ARIMA(0,2,1)(1,0,0)[4] of austres',
    series: 'austres',
    spec: { p: 0, d: 2, q: 1, P: 1, D: 0, Q: 0, seasonLength: 4 },
    ar: [],
    ma: [-0.605060709318506],
    seasonalAr: [0.192126070349388],
    seasonalMa: [],
    given: [],
    logLikelihood: -322.932274106388,
    start: 'vague',
    mean: [
      17704.8171093686, 17747.999730488, 17794.1987309119, 17835.7867056474, 17879.0878895647,
      17922.3632347832, 17966.2181051042, 18009.1870771794, 18052.4852014024, 18095.7783613377,
      18139.1828631536, 18182.4171608209,
    ],
    low95: [
      17684.856529891, 17713.7403997741, 17744.7000314607, 17769.8172166698, 17792.9879195703,
      17814.6474803452, 17835.4624279756, 17854.0325357161, 17871.2548440808, 17887.1527243505,
      17901.9038743494, 17915.2801667805,
    ],
    boundsWithin: 2e-2,
    fitted: [17569.7089686242, 17606.842295979, 17673.6655365907],
  },
  {
    name: 'R: ARIMA(3,1,1)(0,1,0)[4] of JohnsonJohnson',
    series: 'JohnsonJohnson',
    spec: { p: 3, d: 1, q: 1, P: 0, D: 1, Q: 0, seasonLength: 4 },
    ar: [-0.171213026433575, 0.138670522423021, -0.208027863194868],
    ma: [-0.6635532034914],
    seasonalAr: [],
    seasonalMa: [],
    given: [],
    logLikelihood: -43.0076196123806,
    start: 'vague',
    mean: [
      17.7022441454427, 16.3671422628973, 17.5738313620542, 13.2398911776774, 19.2586956554936,
      17.9765275155456, 19.1481471904365, 14.8428291951934, 20.8408583926374, 19.5735117226306,
      20.7337586369685, 16.4367649446415,
    ],
    low95: [
      16.8689423452074, 15.5225415787334, 16.650798979268, 12.3147549820353, 17.8014032196872,
      16.4888512970625, 17.5235958266133, 13.1981963365079, 18.6949546108085, 17.369025154737,
      18.3554580944625, 14.0121712733687,
    ],
    boundsWithin: 1e-6,
    fitted: [14.2670902327448, 16.8564630977075, 11.5204209750195],
  },
  {
    name: 'R: ARIMA(0,1,1)(0,1,0)[4] of UKgas',
    series: 'UKgas',
    spec: { p: 0, d: 1, q: 1, P: 0, D: 1, Q: 0, seasonLength: 4 },
    ar: [],
    ma: [-0.929676299866483],
    seasonalAr: [],
    seasonalMa: [],
    given: [],
    logLikelihood: -513.337390135118,
    start: 'vague',
    mean: [
      1201.8956429187, 651.095642918702, 385.395642918702, 820.795642918702, 1239.8912858374,
      689.091285837404, 423.391285837404, 858.791285837404, 1277.88692875611, 727.086928756106,
      461.386928756106, 896.786928756106,
    ],
    low95: [
      1132.96998035774, 581.999757288844, 316.129952548347, 751.360563067165, 1138.58160098747,
      587.318843347201, 321.158180355612, 756.099583823653, 1148.55529508965, 596.940390076045,
      330.430555891066, 765.025699035319,
    ],
    boundsWithin: 1e-6,
    fitted: [571.138763012499, 321.189634136908, 828.832843683769],
  },
  {
    name: 'R: ARIMA(2,0,0) of LakeHuron with drift',
    series: 'LakeHuron',
    spec: {
      p: 2,
      d: 0,
      q: 0,
      P: 0,
      D: 0,
      Q: 0,
      seasonLength: 1,
      constant: true,
      regressors: ['trend'],
    },
    ar: [1.00482005331088, -0.291304488266308],
    ma: [],
    seasonalAr: [],
    seasonalMa: [],
    given: [580.091516889018, -0.0215679259870143],
    logLikelihood: -101.198267170237,
    start: 'exact',
    mean: [
      579.397254004696, 578.805225354425, 578.368094653596, 578.095138687401, 577.942026318918,
      577.861510363619, 577.819029762182, 577.793620186047, 577.774284049174, 577.756077759573,
      577.737237543054, 577.717431214473,
    ],
    low95: [
      578.04495143548, 576.888166137467, 576.218953234369, 575.869033186393, 575.695783347855,
      575.611362383564, 575.568417230621, 575.54299566653, 575.523651693976, 575.505430801957,
      575.486581439071, 575.466771402135,
    ],
    boundsWithin: 1e-6,
    fitted: [579.593817367161, 578.800174393462, 579.502052079248],
  },
  {
    name: 'statsmodels: airline model of log AirPassengers, approximately diffuse',
    series: 'logAirPassengers',
    spec: { p: 0, d: 1, q: 1, P: 0, D: 1, Q: 1, seasonLength: 12 },
    ar: [],
    ma: [-0.4016954776099149],
    seasonalAr: [],
    seasonalMa: [-0.5568871876696051],
    given: [],
    logLikelihood: 244.6964851399868,
    start: 'exact',
    mean: [
      6.1101828614698, 6.053770450973262, 6.171705450398508, 6.199297896292867, 6.232554179904596,
      6.3687751582446115, 6.5072928486410815, 6.502904338465699, 6.324693898191749,
      6.209005816701558, 6.063483322194097, 6.168019903437094,
    ],
  },
  {
    name: 'statsmodels: airline model of log AirPassengers, differenced first',
    series: 'logAirPassengers',
    spec: { p: 0, d: 1, q: 1, P: 0, D: 1, Q: 1, seasonLength: 12 },
    ar: [],
    ma: [-0.4018123291106264],
    seasonalAr: [],
    seasonalMa: [-0.5569470697678225],
    given: [],
    logLikelihood: 244.69648444149038,
    start: 'exact',
    mean: [],
  },
  {
    name: 'statsmodels: airline model of USAccDeaths, differenced first',
    series: 'USAccDeaths',
    spec: { p: 0, d: 1, q: 1, P: 0, D: 1, Q: 1, seasonLength: 12 },
    ar: [],
    ma: [-0.43027401658623193],
    seasonalAr: [],
    seasonalMa: [-0.5527204237768307],
    given: [],
    logLikelihood: -425.44110243598635,
    start: 'exact',
    mean: [],
  },
]

const plainSeries = {
  USAccDeaths: [
    9007, 8106, 8928, 9137, 10017, 10826, 11317, 10744, 9713, 9938, 9161, 8927, 7750, 6981, 8038,
    8422, 8714, 9512, 10120, 9823, 8743, 9129, 8710, 8680, 8162, 7306, 8124, 7870, 9387, 9556,
    10093, 9620, 8285, 8466, 8160, 8034, 7717, 7461, 7767, 7925, 8623, 8945, 10078, 9179, 8037,
    8488, 7874, 8647, 7792, 6957, 7726, 8106, 8890, 9299, 10625, 9302, 8314, 8850, 8265, 8796, 7836,
    6892, 7791, 8192, 9115, 9434, 10484, 9827, 9110, 9070, 8633, 9240,
  ],
  AirPassengers: [
    112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, 115, 126, 141, 135, 125, 149, 170,
    170, 158, 133, 114, 140, 145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166, 171, 180,
    193, 181, 183, 218, 230, 242, 209, 191, 172, 194, 196, 196, 236, 235, 229, 243, 264, 272, 237,
    211, 180, 201, 204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229, 242, 233, 267, 269,
    270, 315, 364, 347, 312, 274, 237, 278, 284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271,
    306, 315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336, 340, 318, 362, 348, 363, 435,
    491, 505, 404, 359, 310, 337, 360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405, 417,
    391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432,
  ],
  austres: [
    13067.3, 13130.5, 13198.4, 13254.2, 13303.7, 13353.9, 13409.3, 13459.2, 13504.5, 13552.6,
    13614.3, 13669.5, 13722.6, 13772.1, 13832, 13862.6, 13893, 13926.8, 13968.9, 14004.7, 14033.1,
    14066, 14110.1, 14155.6, 14192.2, 14231.7, 14281.5, 14330.3, 14359.3, 14396.6, 14430.8, 14478.4,
    14515.7, 14554.9, 14602.5, 14646.4, 14695.4, 14746.6, 14807.4, 14874.4, 14923.3, 14988.7,
    15054.1, 15121.7, 15184.2, 15239.3, 15288.9, 15346.2, 15393.5, 15439, 15483.5, 15531.5, 15579.4,
    15628.5, 15677.3, 15736.7, 15788.3, 15839.7, 15900.6, 15961.5, 16018.3, 16076.9, 16139, 16203,
    16263.3, 16327.9, 16398.9, 16478.3, 16538.2, 16621.6, 16697, 16777.2, 16833.1, 16891.6, 16956.8,
    17026.3, 17085.4, 17106.9, 17169.4, 17239.4, 17292, 17354.2, 17414.2, 17447.3, 17482.6, 17526,
    17568.7, 17627.1, 17661.5,
  ],
  JohnsonJohnson: [
    0.71, 0.63, 0.85, 0.44, 0.61, 0.69, 0.92, 0.55, 0.72, 0.77, 0.92, 0.6, 0.83, 0.8, 1, 0.77, 0.92,
    1, 1.24, 1, 1.16, 1.3, 1.45, 1.25, 1.26, 1.38, 1.86, 1.56, 1.53, 1.59, 1.83, 1.86, 1.53, 2.07,
    2.34, 2.25, 2.16, 2.43, 2.7, 2.25, 2.79, 3.42, 3.69, 3.6, 3.6, 4.32, 4.32, 4.05, 4.86, 5.04,
    5.04, 4.41, 5.58, 5.85, 6.57, 5.31, 6.03, 6.39, 6.93, 5.85, 6.93, 7.74, 7.83, 6.12, 7.74, 8.91,
    8.28, 6.84, 9.54, 10.26, 9.54, 8.73, 11.88, 12.06, 12.15, 8.91, 14.04, 12.96, 14.85, 9.99, 16.2,
    14.67, 16.02, 11.61,
  ],
} as const

export const seasonalSeries = {
  ...plainSeries,
  UKgas: referenceSeries.UKgas!,
  LakeHuron: referenceSeries.LakeHuron!,
  logAirPassengers: plainSeries.AirPassengers.map(Math.log),
} as const
