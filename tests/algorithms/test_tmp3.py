from test_kmeans import *
import time, warnings
import seg_sql.algorithms.kmeans_seed as S
import seg_sql.algorithms.kmeans_lloyd as L
def test_whole(clusters, wholesale):
  for B,F,P in ((16,2,5),(16,2,20)):
    L.PATIENCE=P
    a=time.time(); t=0; R=[]
    for tr in ("none","log1p"):
        v=wholesale[SPENDING] if tr=="none" else np.log1p(wholesale[SPENDING])
        scaled = StandardScaler().fit_transform(v)
        for k in (2,3,4,5,6,8,10):
            peer = KMeans(k, n_init=10, random_state=0).fit(scaled); p2=KMeans(k, n_init=10, random_state=1).fit(scaled).inertia_/peer.inertia_
            a=time.time()
            r=[inertia(clusters.fit(k=k, transform=tr, seed=s)[1])/peer.inertia_ for s in (1,2,3)]
            t+=time.time()-a
            R.append((tr,k,[round(x,4) for x in r],round(p2,4)))
    print(B,F,P,'time per fit',t/42); 
    for r in R: print('   ',r)
